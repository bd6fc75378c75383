//! Short and pet forms of given names, compiled for this project from general knowledge, mostly of English use.
//!
//! A name may belong to several (Alex is Alexander or Alexandra): two names are forms of one where they have one in
//! common.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A name, then its forms. Spellings of one name stand together too.
const FORMS: &str = "\
aaron ron ronnie erin
abigail abby abbie gail
abraham abe bram
adam ade
adelaide addie adele heidi
adrian ade
agnes aggie nessie
alan allan allen al
albert al bert bertie
alejandro alex ale
alexander alex al alec sandy sasha xander lex alexandre aleksandr aliaksandr
alexandra alex lexi lexie sandra sandy sasha alix
alexis alex lexi lexie
alfred al alf alfie fred freddie freddy
alice allie ally alicia
alison allison ali allie ally
alvin al
amanda mandy manda
amelia amy millie emily mel
amy aimee ami
andrew andy drew andre andres andreas
angela angie angel
angelina angie lina
anita ann
ann anne anna annie nan nancy hannah ana
annabelle anna belle bella anabella annabel
anthony tony ant anton antonio
antoinette toni nettie
antonia toni tonya
archibald archie
arlene lena
arnold arnie
arthur art artie
ashley ash lee
augustus gus august
barbara barb barbie babs bobbie
barnabas barney
bartholomew bart
beatrice bea trixie beatrix
belinda bel linda lindy
benedict ben
benjamin ben benji benny bennie
bernadette bernie
bernard bernie barney
bertha bert bertie
beth bethany liz
beverly bev beverley
bradford brad
bradley brad
brandon bran brand
brenda bren
brendan bren
brian bryan bryant
bridget bridgette bridie biddy
bronwyn bron
bruce brucie
caleb cal
calvin cal vin
cameron cam
camilla cam millie cammie
candace candy candice kandace
carl karl carlos
carla karla carly
carlos charlie carl
carmen carm
carol carole carrie caroline carolyn
caroline carrie carol caro lynn carolyn carolina
carolyn carol lynn carrie caroline
casey kasey case
cassandra cass cassie sandra sandy
catherine cathy cath kate katie kathy kitty cat catharine katherine kathryn cate trina kay kit
cecilia cissy celia ceil
charles charlie chuck chas chaz chick charley carlos
charlotte lottie charlie lotte char
cheryl cher sheryl sherry
chester chet
christian chris kit
christina chris christy chrissy tina kristina christie cristina
christine chris christy chrissy tina kristine christie
christopher chris kit topher christoph cristobal kris
clara clare claire
clarence clare
claudia claudie
clayton clay
clifford cliff
clifton cliff
clinton clint
constance connie
cornelius neil con corny
courtney court
craig cris
crystal chris krystal
curtis curt kurt
cynthia cindy cyndi
cyril cy
cyrus cy
dale day
daniel dan danny dani
danielle dani danny daniella
darlene dar darla
darrell darryl darry
david dave davey davy dav
dawn dawnie
deborah deb debbie debby debra
debra deb debbie debby deborah
delbert del bert
delores dee lola lolly dolores
denise denny dee denice
dennis denny den
derek derrick rick
diana di diane dianne
diane di diana dianne dee
dominic dom nick dominick
donald don donnie donny
donna don
dora dolly theodora
doris dory
dorothy dot dottie dolly dora dorothea
douglas doug
duane dwayne
dustin dusty
dwight ike
earl earle
edgar ed eddie ned
edith edie
edmund ed eddie ned ted
eduardo ed eddie lalo
edward ed eddie ned ted teddy eddy
edwin ed eddie ned
eileen aileen
elaine lainie ellie
eleanor ellie nell nora ella elle lenora nellie elinor elena
elijah eli lij
elisa lisa
ellen ellie nell nellie helen
elizabeth liz beth betty lizzie eliza betsy libby bess bessie elsie lisa liza lisbeth elisabeth elspeth lizbeth buffy
emily em emmy emma millie
emma em emmy
emmanuel manny manuel
enrique rick kiko
eric erik rick ricky erick
erica erika ricky
ernest ernie ern
ernestine ernie tina
esther essie hester
ethel eth
eugene gene
eunice nicie
eva eve evie
evelyn eve evie lyn
ezekiel zeke
faith fay
felicia fel
fernando nando
florence flo flora flossie
frances fran francie fanny frankie francesca
francis frank frankie fran francisco
francisco frank paco pancho francis cisco
franklin frank frankie
fred freddie freddy
frederick fred freddie freddy rick fritz frederic
gabriel gabe
gabriella gabby gabrielle ella
gabrielle gabby gabriella
gail gale
gareth gary
garrett gary gary
gary gaz
genevieve gen jenny eve
geoffrey geoff jeff jeffrey
george georgie jorge
georgia george georgie
georgina george georgie gina
gerald gerry jerry
geraldine gerry jerry
gerard gerry jerry
gertrude gert gertie trudy
gilbert gil bert
gina regina
glenn glen
gloria glo
gordon gordy
grace gracie
graham gray graeme
gregory greg gregg
gretchen greta margaret
guadalupe lupe
guillermo memo bill
guy guido
gwendolyn gwen wendy
harold harry hal
harriet hattie harry
harrison harry
harry henry
harvey harv
heather heath
helen nell nellie ellen helena lena elena
henrietta etta hettie hetty henry
henry hank harry hal enrique
herbert herb bert
herman herm
hillary hil
horace harry
howard howie
hubert hugh bert
hugh hughie
ignacio nacho
ian iain
ida idy
ignatius iggy
irene renie rene
isaac ike zac
isabel bel bella izzy belle isabella isabelle
isabella bella izzy isa isabel belle isabelle
isabelle bella izzy belle isabel isabella
isaiah zay ike
israel izzy
ivan vanya
jack jackie jock jake
jacob jake jay coby
jacqueline jackie jacqui jacquelyn
jaime james
james jim jimmy jamie jem jimmie jay
jamie james
jane janie jenny jan jean janet
janet jan jane janie jenny janette
janice jan jan
jason jay jase
jasmine jas jazz
jean jeanie jeannie jeanne
jeanette jean jeanie nettie jeannette
jeffrey jeff geoff geoffrey jeffery
jennifer jen jenny jennie jenna
jeremiah jerry jem
jeremy jerry jem
jerome jerry
jerry gerald
jesse jess jessie
jessica jess jessie jessy
jessie jess
jesus chuy
jill gillian gill jillian
joan joanie jo
joann jo joanne joanna
joanna jo joan joanne jody
joanne jo joan joanna jody
joel joe
john jack johnny jon johnnie jock jackie juan ian sean
jonathan jon jonny johnny nathan nate johnathan jonathon
jordan jordy
joseph joe joey jos jose jo
josefina josie fina
josephine jo josie josey
joshua josh
joy joyce
joyce joy
juan johnny
juanita nita
judith judy judi jude
julia julie jules
julian jules
julie jules julia
juliet julie jules
justin jus
karen kaz karin caren
kate katie katherine
katherine kate katie kathy kat kitty kay kathie katharine catherine kathryn katy
kathleen kathy katie kate kath kay cathleen
kathryn kate katie kathy kay katherine catherine katy
kayla kay
kaylee keeley kay kayleigh
keith keithy
kelly kel kelley kellie
kelvin kel
kenneth ken kenny
kevin kev
kimberly kim kimmy kimberley
kristen kris kristin kristy
kristina kris kristy tina christina
kristine kris kristy christine tina
kristopher kris chris
kyle ky
lance lancelot
larry lawrence laurence
laura laurie lora lori
lauren laurie ren
laurence larry laurie lawrence loren
lawrence larry laurie law laurence
leah lee lea leigh
lee leigh lea
leo leon
leonard leo len lenny leon
leroy roy lee
leslie les lesley
lester les
lewis lew louis
lillian lil lily lilly
lily lil lilly lillian
linda lindy lin lynn lynda
lindsay lin lindsey lyndsey
lisa liz elizabeth
lois lo
loretta etta retta lori
lorraine lori raine lorri
louis lou louie lewis luis
louise lou lulu louisa
lucas luke luca
lucille lucy lu lucia
lucinda lucy cindy
lucy lu lucia
luis lou louis
luke lucas
lydia lyddie
lyle ly
lynn lyn lynne linda
mabel mae may
mackenzie mac kenzie
madeline maddie maddy lena madeleine madelyn
madison maddie maddy
magdalena maggie lena magda
malcolm mal
manuel manny manolo
marcia marcy marsha
marcus mark marc
margaret maggie meg peggy marge margie greta madge rita daisy peg margo megan marguerite peggie
maria mary mia marie mariah
marian marianne mary
marie mary maria
marilyn mary lyn
marion mary
marjorie marge margie marj margery
mark marc marcus marco
marlene marley
martha marty mattie patty
martin marty
marvin marv
mary molly polly maria marie mamie may minnie
mathilda tilda tillie mattie matilda
matthew matt matty mathew
maureen mo reenie
maurice mo morrie morris
maximilian max
maxine max
maxwell max
megan meg meghan meggie
melanie mel
melinda mel mindy linda lindy
melissa mel missy lissa
melvin mel
mercedes mercy
meredith merry
michael mike mick mickey micky mikey miguel mitch mikhail micheal
michelle shelly mickey chelle shell michele
mildred millie milly
milton milt
miranda mandy randy mira
miriam mimi mim mitzi
mitchell mitch
mohammed mohamed muhammad mohammad mohamad muhammed mhd mo mohd
molly mary
monica mona nica
morris mo maurice morrie
nadine dee
nancy nan ann
naomi nomi
natalie nat nattie natalia
natasha tasha nat
nathan nate nat nathaniel
nathaniel nate nat nathan nathanial
nelson nels
nicholas nick nicky nico nic nikolas nicolas klaus
nicole nicky nikki nic nicola
nicola nicky nikki nic
nora honora eleanor
norman norm
oliver ollie
olivia liv livvy ollie livia
oscar ozzie
oswald ozzie
owen own
pamela pam
patricia pat patty tricia trish patsy patti
patrick pat paddy patty rick padraig
paul pauly pablo
paula paulie
pauline paula polly
pearl pearlie
penelope penny
perry peregrine
peter pete pedro pyotr
philip phil pip phillip
phillip phil pip philip
phyllis phyl
priscilla prissy cilla
rachel rach rae shelly rachael
ralph ralphie rafe
ramona mona
randall randy
randolph randy
raphael rafe rafael ray
raymond ray
rebecca becky becca beck reba rebekah
regina gina reggie
reginald reg reggie
rene renee
reuben ruben rube
rhonda ronnie
ricardo rick ricky richard
richard rick dick rich richie ricky dickie rico ritchie
rita margaret
robert bob rob bobby robbie bert robin bobbie roberto
roberta bobbie robbie bert
roderick rod roddy rick
rodney rod
roger rodge hodge
roland rollie rolly
ronald ron ronnie
rosalind roz ros rosie
rosemary rose rosie romy rosemarie
rose rosie rosa
rosa rose rosie rosita
roxanne roxy
roy leroy
rudolph rudy rolf
rufus rufe
russell russ rusty
ruth ruthie
salvador sal chava
salvatore sal
samantha sam sammy
samuel sam sammy
sandra sandy sandi
sarah sally sadie sara
scott scotty scottie
sean shaun shawn shane
sebastian seb
sergio serge
seth set
shannon shan
sharon shari shaz sherry
sheila shelia
shelby shel
sheldon shelly
shirley shirl
sidney sid sydney
silvia sylvia syl
simon si
solomon sol
sophia sophie sofia
sophie soph sophia
spencer spence
stacey stacy staci stacie anastasia
stanley stan
stella estelle
stephanie steph stef stephie steffi
stephen steve steven stevie stephan esteban
steven steve stephen stevie
stewart stu stew stuart
stuart stu stew stewart
summer sum
susan sue susie suzie suzy susanna susanne suzanne
suzanne sue susie suzie susan
sylvester sly
sylvia syl silvia
tabitha tabby
tamara tammy tam
tammy tam
tara tar
teresa terry tess tessa terri theresa tereza
terence terry terrence
terrance terry
thaddeus tad thad
thelma thel
theodore ted theo teddy
theresa terry tess tessa terri teresa tracy
thomas tom tommy thom tomas
tiffany tiff
timothy tim timmy
tobias toby
todd toddy
tracy trace tracey tracie
travis trav
trevor trev
tricia trish
tyler ty
tyrone ty
ursula urs
valerie val
vanessa nessa van
vera vee
vernon vern
veronica ronnie vera ronni
vicki vicky victoria
victor vic vick
victoria vicky vicki tori vic vickie
vincent vin vince vinny vinnie vicente
viola vi
violet vi
virginia ginny ginger virgie gina
vivian viv vivien
wallace wally
walter walt wally wat
wanda wendy
warren ren
wayne way
wendy wen gwendolyn
wesley wes
wilbur will
wilfred will wilf fred
wilhelmina mina willie billie minnie
willard will
william bill will billy willy liam willie wilhelm guillermo
willis will
wilma willie billie
winifred winnie freda fred win
winston win
woodrow woody
xavier xav javier
yolanda yoli
yvonne vonnie yve
zachary zach zack zak zachariah zac
zoe zo
anastasia nastassia anastassia stacy ana nastya
alexandria alex lexi
allyson ally ali
brittany britt brit brittney
christy chris
destiny des
gwyneth gwen
jacquelyn jackie
jocelyn joss
kaitlyn kate katie caitlin kaitlin katelyn
leticia letty
marguerite maggie rita margaret
rosalie rose rosie
santiago santi
sherry sheri cheri
stefan steve stephen
tatiana tanya tania
victoria tori
";

/// Names that are forms of one name, by number of the line above.
static GROUPS: LazyLock<HashMap<&'static str, Vec<u16>>> = LazyLock::new(|| {
    let mut groups: HashMap<&'static str, Vec<u16>> = HashMap::new();
    for (number, line) in (0..).zip(FORMS.lines()) {
        for name in line.split_ascii_whitespace() {
            groups.entry(name).or_default().push(number);
        }
    }
    groups
});

/// The first name of each line.
static HEADS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| FORMS.lines().filter_map(|line| line.split_ascii_whitespace().next()).collect());

/// The names that a folded given name may be a form of.
pub(super) fn groups(name: &str) -> &'static [u16] {
    GROUPS.get(name).map_or(&[], Vec::as_slice)
}

/// One name for all forms, for match keys: the name itself where it heads a line or is in none, else the first of which it is a form.
pub(super) fn canonical(name: &str) -> &str {
    match groups(name) {
        [] => name,
        groups if groups.iter().any(|group| HEADS[usize::from(*group)] == name) => name,
        [first, ..] => HEADS[usize::from(*first)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms_of_one(a: &str, b: &str) -> bool {
        groups(a).iter().any(|group| groups(b).contains(group))
    }

    #[test]
    fn short_forms_belong_to_their_names() {
        for (a, b) in [("bob", "robert"), ("chick", "charles"), ("peggy", "margaret"), ("alex", "alexandra")] {
            assert!(forms_of_one(a, b), "{a} {b}");
        }
        assert!(!forms_of_one("alexander", "alexandra"));
        assert!(!forms_of_one("zelda", "zelda"), "a name without forms is in no group");
    }

    #[test]
    fn each_line_is_folded_and_has_a_form() {
        for line in FORMS.lines() {
            assert!(line.split(' ').count() > 1, "{line}");
            assert!(line.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' '), "{line}");
        }
    }

    #[test]
    fn a_key_is_the_same_for_most_forms() {
        assert_eq!(canonical("bobby"), canonical("robert"));
        assert_eq!(canonical("zelda"), "zelda");
    }
}
