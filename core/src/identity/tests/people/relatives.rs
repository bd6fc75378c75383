//! Two of a family who share a contact or the home, and one person who does.

use super::*;

/// Contacts and homes that two of a house share.
const SHARED: [&str; 4] = [
    "email=home77@x.com",
    "phone=2125551142",
    "street=12_Oak_Street city=Salem postcode=97301",
    "email=home77@x.com phone=2125551142 street=12_Oak_Street city=Salem postcode=97301",
];

/// The pairs that are not as expected, with what they share.
fn wrong(pairs: &[(&str, &str)], shared: &[&str], one: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for (a, b) in pairs {
        for shared in shared {
            let texts = [format!("a {a} {shared}"), format!("b {b} {shared}")];
            let found = clusters(&[&texts[0], &texts[1]]).len();
            if (found == 1) != one {
                wrong.push(format!("{a} and {b}: {shared}"));
            }
        }
    }
    wrong
}

#[test]
fn siblings_with_one_syllable_in_common_stay_two() {
    const NOBODY: [String; 0] = [];
    let names = [
        // Korean.
        ("Min-jun", "Min-seo", "Kim"),
        ("Minjun", "Minseo", "Kim"),
        ("Min jun", "Min seo", "Kim"),
        ("Minjun", "Min-seo", "Kim"),
        ("Ji-hoon", "Ji-hye", "Park"),
        ("Jihoon", "Jihye", "Park"),
        ("Seoyeon", "Seojun", "Lee"),
        ("Hyunwoo", "Hyunjin", "Choi"),
        ("Junho", "Minho", "Lim"),
        ("Sungmin", "Sungho", "Jung"),
        ("Younghee", "Youngsoo", "Kang"),
        ("Eunji", "Eunju", "Yoon"),
        ("Eun-ji", "Eun-ju", "Yoon"),
        ("Sujin", "Suji", "Han"),
        ("Soo-jin", "Soo-ah", "Han"),
        ("Haeun", "Hajun", "Shin"),
        // Chinese.
        ("Wei-Ming", "Wei-Ling", "Tan"),
        ("Weiming", "Weiling", "Tan"),
        ("Wei Ming", "Wei Ling", "Tan"),
        ("Xiaoming", "Xiaohong", "Li"),
        ("Xiaomei", "Xiaoli", "Wang"),
        ("Jianguo", "Jianhua", "Zhang"),
        ("Zhiwei", "Zhiming", "Chen"),
        ("Meiling", "Meihua", "Lin"),
        ("Ka-ming", "Ka-wai", "Chan"),
        ("Kar Wai", "Kar Ming", "Wong"),
        ("Chun-hung", "Chun-kit", "Cheung"),
        ("Yi-chen", "Yi-chun", "Huang"),
        ("Guoqiang", "Guoliang", "Zhao"),
        ("Jiayi", "Jiaqi", "Liu"),
        // Vietnamese.
        ("Minh Anh", "Minh Châu", "Nguyễn"),
        ("Ngọc Lan", "Ngọc Mai", "Trần"),
        ("Văn An", "Văn Bình", "Lê"),
        // Compounds with particles.
        ("María del Carmen", "María del Pilar", "Ruiz"),
        ("Maria da Luz", "Maria da Graça", "Costa"),
        ("Abd al-Rahman", "Abd al-Aziz", "Nasser"),
        ("Abd el Karim", "Abd el Kader", "Nasser"),
        ("Marie de Lourdes", "Marie de France", "Blanc"),
        ("Anna Maria Luise", "Anna Maria Sophie", "Kern"),
        ("Jean-Marie", "Jean-Michel", "Blanc"),
    ];
    let pairs: Vec<(String, String)> = names
        .iter()
        .map(|(a, b, family)| {
            let of = |given: &str| format!("given={} family={family}", given.replace(' ', "_"));
            (of(a), of(b))
        })
        .collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (&**a, &**b)).collect();
    assert_eq!(wrong(&pairs, &SHARED, false), NOBODY);
}

#[test]
fn names_in_another_order_are_of_another_person() {
    const NOBODY: [String; 0] = [];
    let pairs = [
        // Given names, all stated.
        (
            "given=James_Robert family=Hill",
            "given=Robert_James family=Hill",
        ),
        ("full=James_Robert_Hill", "full=Robert_James_Hill"),
        (
            "given=James middle=Robert family=Hill",
            "given=Robert middle=James family=Hill",
        ),
        (
            "given=Anna_Maria family=Kern",
            "given=Maria_Anna family=Kern",
        ),
        ("given=Jean-Luc family=Blanc", "given=Luc-Jean family=Blanc"),
        ("given=Juan_José family=Ruiz", "given=José_Juan family=Ruiz"),
        ("given=José_Luis family=Ruiz", "given=Luis_José family=Ruiz"),
        (
            "given=Mohammed_Ali family=Nasser",
            "given=Ali_Mohammed family=Nasser",
        ),
        (
            "given=Bob_James family=Hill",
            "given=James_Robert family=Hill",
        ),
        // Given names, each after the father.
        ("full=Ahmad_Hasan", "full=Hasan_Ahmad"),
        ("given=Ahmad family=Hasan", "given=Hasan family=Ahmad"),
        ("given=Mohammed family=Ali", "given=Ali family=Mohammed"),
        ("full=Ali_bin_Abu", "full=Abu_bin_Ali"),
        ("full=Omar_Khalid", "full=Khalid_Omar"),
        ("full=Ahmad_Hasan", "full=Hasan_Ahmad_al-Ubaidi"),
        ("given=Yusuf family=Ibrahim", "given=Ibrahim family=Yusuf"),
        ("given=Tesfaye family=Bekele", "given=Bekele family=Tesfaye"),
        (
            "given=Siti_binti_Ali family=Abu",
            "given=Siti_binti_Omar family=Abu",
        ),
        // In characters.
        ("full=王伟明", "full=王明伟"),
    ];
    assert_eq!(wrong(&pairs, &SHARED, false), NOBODY);
}

#[test]
fn one_name_in_two_spellings_stays_one() {
    const NOBODY: [String; 0] = [];
    let pairs = [
        ("given=Min-jun family=Kim", "given=Minjun family=Kim"),
        ("given=Min-jun family=Kim", "given=Min_Joon family=Kim"),
        ("given=Jihoon family=Park", "given=Jihun family=Park"),
        ("given=Sung-min family=Jung", "given=Seongmin family=Jung"),
        ("given=Young-hee family=Kang", "given=Yeonghui family=Kang"),
        ("given=Weiming family=Tan", "given=Wei-Ming family=Tan"),
        ("given=Weiming family=Tan", "given=Weimign family=Tan"),
        ("given=Xiaohong family=Li", "given=Xiao_Hong family=Li"),
        ("given=王伟 family=王", "given=王偉 family=王"),
        ("full=王伟", "full=王偉"),
        ("full=刘洋", "full=劉洋"),
        ("full=陈国华", "full=陳國華"),
        ("given=丽华 family=张", "given=麗華 family=張"),
        ("full=赵龙", "full=趙龍"),
        ("full=广瀬一郎 country=JP", "full=廣瀬一郎 country=JP"),
        ("full=渡辺浩 country=JP", "full=渡邊浩 country=JP"),
        ("full=斎藤浩 country=JP", "full=齋藤浩 country=JP"),
        (
            "full=やまだ_たろう country=JP",
            "full=ヤマダ_タロウ country=JP",
        ),
        ("full=ﾔﾏﾀﾞ_ﾀﾛｳ country=JP", "full=ヤマダ_タロウ country=JP"),
        (
            "given=María_del_Carmen family=Ruiz",
            "given=María family=Ruiz",
        ),
        (
            "given=María_del_Carmen family=Ruiz",
            "given=María_Carmen family=Ruiz",
        ),
        (
            "given=Abd_al-Rahman family=Nasser",
            "given=Abdulrahman family=Nasser",
        ),
        (
            "given=Abd_al-Rahman family=Nasser",
            "given=Abdel_Rahman family=Nasser",
        ),
        (
            "given=James_Robert family=Hill",
            "given=James_R family=Hill",
        ),
        ("given=Lydia family=Brooks", "given=Brooks family=Lydia"),
        ("given=Zhiwei family=Zhang", "given=Zhang family=Zhiwei"),
        ("full=Kim_Min-jun", "full=Min-jun_Kim"),
    ];
    assert_eq!(wrong(&pairs, &SHARED[3..], true), NOBODY);
    assert_eq!(wrong(&pairs, &SHARED[..1], true), NOBODY);
}
