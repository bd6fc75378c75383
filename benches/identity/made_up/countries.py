"""Names, streets and towns of twelve countries, from general knowledge; `a=b` is one name in Latin letters and in the country's own
script. Further spellings in Latin letters stand behind `/`."""

COUNTRIES = {
    "ID": {
        "m": "Agus Budi Dedi Eko Hendra Joko Rizki Andi Bambang Yusuf Muhammad Ahmad Fajar Dimas Arif Wahyu Rudi Surya Teguh Iwan",
        "f": "Siti Dewi Sri Rina Ratna Wati Putri Ayu Lestari Fitri Nur Indah Yanti Maya Rini Endang Tuti Diah Mega Wulan",
        "family": "Wijaya Santoso Saputra Setiawan Hidayat Nugroho Kusuma Pratama Susanto Gunawan Siregar Nasution Simanjuntak Lubis Halim Wibowo Purnomo Suryadi Handoko Hartono",
        "streets": "Jl.+Merdeka Jl.+Sudirman Jl.+Diponegoro Jl.+Gajah+Mada Jl.+Melati Jl.+Kenanga Jl.+Veteran Jl.+Ahmad+Yani",
        "towns": "Jakarta:101 Surabaya:602 Bandung:401 Medan:201 Semarang:501", "phone": "+62 81########",
    },
    "NG": {
        "m": "Chukwuemeka Oluwaseun Emeka Chinedu Tunde Ibrahim Musa Abubakar Segun Femi Obinna Ifeanyi Kunle Yakubu Sani Babatunde Uche Nnamdi Gbenga Usman",
        "f": "Ngozi Chioma Amaka Folake Yetunde Funmilayo Aisha Fatima Zainab Adaeze Ifeoma Bukola Titilayo Nneka Halima Hauwa Temitope Kemi Blessing Chidinma",
        "family": "Okafor Adeyemi Okonkwo Balogun Eze Nwosu Ogunleye Bello Abdullahi Mohammed Adebayo Okoro Obi Afolabi Ibrahim Nwachukwu Olawale Danjuma Onyekachi Lawal",
        "streets": "Awolowo+Road Broad+Street Marina+Street Allen+Avenue Aba+Road Ahmadu+Bello+Way Herbert+Macaulay+Street Station+Road",
        "towns": "Lagos:100 Abuja:900 Kano:700 Ibadan:200 Enugu:400", "phone": "+234 80########",
    },
    "PL": {
        "m": "Jan Piotr Krzysztof Andrzej Tomasz Paweł Marcin Michał Jakub Grzegorz Adam Łukasz Zbigniew Mateusz Kamil Dariusz Wojciech Rafał Szymon Maciej",
        "f": "Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Magdalena Joanna Monika Zofia Aleksandra Natalia Karolina Marta Justyna Dorota Beata Iwona Hanna",
        "family": "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Mazur Jankowski Krawczyk Grabowski Pawłowski Michalski Król Wróbel",
        "streets": "ul.+Długa ul.+Polna ul.+Leśna ul.+Słoneczna ul.+Ogrodowa ul.+Lipowa ul.+Kościuszki ul.+Mickiewicza",
        "towns": "Warszawa:00- Kraków:30- Łódź:90- Wrocław:50- Poznań:60-", "phone": "+48 60#######",
    },
    "TR": {
        "m": "Mehmet Mustafa Ahmet Ali Hüseyin Hasan İbrahim Murat Ömer Yusuf Emre Burak Kemal Süleyman Osman Serkan Tolga Çağlar Uğur Barış",
        "f": "Fatma Ayşe Emine Hatice Zeynep Elif Merve Özlem Şule Gülşen Büşra Esra Sevgi Derya Nurcan Melek Tuğba Çiğdem Pınar Selin",
        "family": "Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Çetin Koç Kurt Özkan Şimşek Güneş Polat",
        "streets": "Atatürk+Caddesi Cumhuriyet+Caddesi İnönü+Caddesi Gül+Sokak Lale+Sokak Menekşe+Sokak Barbaros+Bulvarı Zafer+Sokak",
        "towns": "İstanbul:34 Ankara:06 İzmir:35 Bursa:16 Antalya:07", "phone": "+90 53########",
    },
    "VN": {
        "m": "Văn+Hùng Minh+Tuấn Đức+Anh Quang+Huy Hữu+Nghĩa Thanh+Tùng Quốc+Bảo Văn+Nam Hoàng+Long Xuân+Trường Công+Minh Ngọc+Sơn Trung+Kiên Tuấn+Kiệt",
        "f": "Thị+Hoa Thị+Lan Ngọc+Anh Thu+Hà Thị+Mai Thanh+Hương Minh+Châu Thùy+Linh Phương+Thảo Thị+Hồng Kim+Ngân Bích+Ngọc Mai+Phương Thị+Thu",
        "family": "Nguyễn Trần Lê Phạm Hoàng Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Nguyễn Nguyễn Trần Lê",
        "streets": "Lê+Lợi Nguyễn+Huệ Trần+Phú Hai+Bà+Trưng Lý+Thường+Kiệt Phan+Chu+Trinh Quang+Trung Điện+Biên+Phủ",
        "towns": "Hà+Nội:100 Hồ+Chí+Minh:700 Đà+Nẵng:550 Huế:530 Cần+Thơ:900", "phone": "+84 90#######",
    },
    "PH": {
        "m": "Jose Juan Antonio Ramon Mark John Michael Angelo Christian Jerome Rodrigo Ferdinand Emmanuel Joseph Ricardo Danilo Noel Arnel Jayson Ronaldo",
        "f": "Maria Ana Rosario Lourdes Angelica Michelle Jennifer Marites Cristina Josephine Rowena Imelda Carmela Aileen Jocelyn Divina Lorna Grace Princess Joy",
        "family": "Santos Reyes Cruz Bautista Ocampo Garcia Mendoza Torres Tomas Andrada Castillo Flores Villanueva Ramos Aquino Dimaculangan Magsaysay Salazar Mercado Navarro",
        "streets": "Rizal+Street Bonifacio+Street Mabini+Street Quezon+Avenue Luna+Street Burgos+Street Roxas+Boulevard Magallanes+Street",
        "towns": "Manila:10 Quezon+City:11 Cebu:60 Davao:80 Iloilo:50", "phone": "+63 917#######",
    },
    "MX": {
        "m": "José+Luis Juan+Carlos Miguel+Ángel Francisco Javier Alejandro Jesús Carlos Eduardo Fernando Ricardo Roberto Jorge Luis+Enrique Raúl Sergio Óscar Héctor",
        "f": "María+Guadalupe María+Elena Rosa Leticia Verónica Patricia Alejandra Adriana Gabriela Juana María+José Ana+Laura Claudia Yolanda Silvia Daniela Fernanda Margarita",
        "family": "Hernández García Martínez López González Rodríguez Pérez Sánchez Ramírez Cruz Flores Gómez Morales Vázquez Reyes Jiménez Torres Díaz Gutiérrez Ruiz",
        "streets": "Calle+Hidalgo Calle+Juárez Av.+Reforma Calle+Morelos Av.+Insurgentes Calle+Zaragoza Calle+Allende Av.+Universidad",
        "towns": "Guadalajara:44 Monterrey:64 Puebla:72 Mérida:97 Tijuana:22", "phone": "+52 55########", "two_families": True,
    },
    "UA": {
        "m": "Oleksandr/Aleksandr=Олександр Serhii/Sergey=Сергій Andrii/Andriy=Андрій Volodymyr/Vladimir=Володимир Mykola/Nikolay=Микола Dmytro/Dmitry=Дмитро Yurii/Yuriy=Юрій Vasyl/Vasiliy=Василь Ihor/Igor=Ігор Oleh/Oleg=Олег Taras=Тарас Mykhailo/Mikhail=Михайло",
        "f": "Olena/Elena=Олена Nataliia/Natalia=Наталія Tetiana/Tatiana=Тетяна Iryna/Irina=Ірина Svitlana/Svetlana=Світлана Oksana=Оксана Yuliia/Yulia=Юлія Halyna/Galina=Галина Liudmyla/Ludmila=Людмила Kateryna/Ekaterina=Катерина Mariia/Maria=Марія Oleksandra/Aleksandra=Олександра",
        "family": "Shevchenko=Шевченко Bondarenko=Бондаренко Kovalenko=Коваленко Tkachenko=Ткаченко Kravchenko=Кравченко Melnyk/Melnik=Мельник Boiko/Boyko=Бойко Koval=Коваль Lysenko=Лисенко Marchenko=Марченко Hrytsenko/Gritsenko=Гриценко Polishchuk=Поліщук Savchenko=Савченко Rudenko=Руденко Moroz=Мороз Petrenko=Петренко",
        "streets": "вул.+Шевченка вул.+Лесі+Українки вул.+Франка вул.+Садова вул.+Миру вул.+Київська", "towns": "Київ:01 Харків:61 Одеса:65 Дніпро:49 Львів:79", "phone": "+380 67#######",
    },
    "KR": {
        "m": "Min-jun/Minjoon=민준 Seo-jun/Seojoon=서준 Ji-hoon/Jihun=지훈 Hyun-woo/Hyunu=현우 Dong-hyun/Donghyeon=동현 Sung-ho/Seongho=성호 Young-soo/Yeongsu=영수 Jae-won/Jaewon=재원 Jun-ho/Junho=준호 Sang-hoon/Sanghun=상훈 Tae-yang/Taeyang=태양 Kyung-min/Gyeongmin=경민",
        "f": "Seo-yeon/Seoyeon=서연 Min-seo/Minseo=민서 Ji-woo/Jiu=지우 Soo-jin/Sujin=수진 Eun-ji/Eunji=은지 Hye-jin/Hyejin=혜진 Young-hee/Yeonghui=영희 Mi-kyung/Migyeong=미경 Yu-na/Yuna=유나 Ha-eun/Haeun=하은 Ji-young/Jiyeong=지영 Bo-ram/Boram=보람",
        "family": "Kim/Gim=김 Lee/Yi=이 Park/Bak=박 Choi/Choe=최 Jung/Jeong=정 Kang/Gang=강 Cho/Jo=조 Yoon/Yun=윤 Jang/Chang=장 Lim/Im=임 Han=한 Oh/O=오 Seo/Suh=서 Shin/Sin=신 Kwon/Gwon=권 Hwang=황 Ahn/An=안 Song=송 Yoo/Yu=유 Hong=홍",
        "streets": "세종대로 테헤란로 강남대로 중앙로 남부순환로 을지로", "towns": "서울:04 부산:48 대구:41 인천:22 광주:61", "phone": "+82 10########",
    },
    "IL": {
        "m": "Moshe=משה David=דוד Yosef/Joseph=יוסף Avraham/Abraham=אברהם Yaakov/Jacob=יעקב Itzhak/Yitzhak=יצחק Shlomo=שלמה Eitan=איתן Noam=נועם Daniel=דניאל Yonatan/Jonathan=יונתן Amir=אמיר Haim/Chaim=חיים Uri=אורי",
        "f": "Sarah/Sara=שרה Rachel/Rahel=רחל Miriam=מרים Tamar=תמר Noa=נועה Yael=יעל Esther=אסתר Rivka=רבקה Michal=מיכל Shira=שירה Hana/Chana=חנה Avigail/Abigail=אביגיל Dina=דינה Ronit=רונית",
        "family": "Cohen/Kohen=כהן Levi/Levy=לוי Mizrahi/Mizrachi=מזרחי Peretz=פרץ Biton/Bitton=ביטון Dahan=דהן Avraham=אברהם Friedman/Fridman=פרידמן Malka=מלכה Azoulay/Azulai=אזולאי Katz=כץ Yosef=יוסף Amar=עמר Ohayon=אוחיון Gabay/Gabai=גבאי Shapira=שפירא Goldberg=גולדברג Hadad=חדד",
        "streets": "הרצל ויצמן בן+גוריון ז'בוטינסקי דיזנגוף אלנבי", "towns": "תל+אביב:61 ירושלים:91 חיפה:31 באר+שבע:84", "phone": "+972 54#######",
    },
    "EG": {
        "m": "Mohamed/Muhammad=محمد Ahmed/Ahmad=أحمد Mahmoud/Mahmud=محمود Mostafa/Mustafa=مصطفى Omar/Umar=عمر Khaled/Khalid=خالد Youssef/Yusuf=يوسف Hassan=حسن Ibrahim=إبراهيم Karim=كريم Tarek/Tariq=طارق Sherif/Sharif=شريف Hussein/Husayn=حسين Amr=عمرو",
        "f": "Fatma/Fatima=فاطمة Mariam/Maryam=مريم Nour/Nur=نور Salma=سلمى Aya=آية Heba/Hiba=هبة Mona/Muna=منى Yasmin=ياسمين Dina=دينا Rania=رانيا Zeinab/Zaynab=زينب Nada=ندى Samira=سميرة Hanan=حنان",
        "family": "El-Sayed/Alsayed=السيد Abdelrahman/Abdulrahman=عبدالرحمن Farouk/Faruq=فاروق Mansour/Mansur=منصور Saleh/Salih=صالح Soliman/Sulayman=سليمان Gamal/Jamal=جمال Shawky/Shawqi=شوقي Naguib/Najib=نجيب Fahmy/Fahmi=فهمي Osman/Uthman=عثمان Ramadan=رمضان Zaki=زكي Hegazy/Hijazi=حجازي Kamel/Kamil=كامل Badawi=بدوي",
        "streets": "شارع+التحرير شارع+رمسيس شارع+الهرم شارع+النيل شارع+الجلاء", "towns": "القاهرة:115 الجيزة:125 الإسكندرية:215 طنطا:315", "phone": "+20 10########",
    },
    "IR": {
        "m": "Ali=علی Mohammad/Mohamad=محمد Reza=رضا Hossein/Hosein=حسین Mehdi/Mahdi=مهدی Amir=امیر Hamid=حمید Saeed/Said=سعید Javad=جواد Majid=مجید Behrouz/Behruz=بهروز Kourosh/Kurosh=کوروش Dariush=داریوش Farhad=فرهاد",
        "f": "Fatemeh/Fatima=فاطمه Zahra=زهرا Maryam=مریم Leila/Leyla=لیلا Narges=نرگس Shirin=شیرین Parisa=پریسا Mina=مینا Nasrin=نسرین Elham=الهام Sara=سارا Azadeh=آزاده Mahsa=مهسا Roya=رویا",
        "family": "Ahmadi=احمدی Hosseini/Hoseini=حسینی Mohammadi/Mohamadi=محمدی Karimi=کریمی Rezaei/Rezai=رضایی Moradi=مرادی Jafari=جعفری Rahimi=رحیمی Mousavi/Musavi=موسوی Ebrahimi=ابراهیمی Kazemi=کاظمی Sadeghi/Sadeqi=صادقی Bagheri/Baqeri=باقری Tehrani=تهرانی Shirazi=شیرازی Ghasemi/Qasemi=قاسمی",
        "streets": "خیابان+آزادی خیابان+انقلاب خیابان+ولیعصر خیابان+شریعتی خیابان+سعدی", "towns": "تهران:11 مشهد:91 اصفهان:81 شیراز:71", "phone": "+98 912#######",
    },
}
