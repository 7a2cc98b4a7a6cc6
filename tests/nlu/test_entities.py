"""Entities: ways of writing → value and offsets. All as of Tuesday 24 November 2026."""

import unicodedata
from datetime import date
from typing import Any

import pytest
from test_text import random_texts

from nlu.entities import extract
from nlu.entities.moment import moment_of
from nlu.text.marks import fold

TODAY = date(2026, 11, 24)


def found(text: str, entity: str, today: date = TODAY) -> "list[tuple[str, Any]]":
    return [(text[e.start : e.end], e.value) for e in extract(text, today) if e.entity == entity]


def months(first: str, last: "str | None" = None) -> "dict[str, str]":
    return {"from": first, "to": last or first}


PERIODS = [
    ("tiền điện tháng này", "tháng này", months("2026-11")),
    ("tien dien thang nay", "thang nay", months("2026-11")),
    ("tieefn ddieenj thangs truwowcs", "thangs truwowcs", months("2026-10")),
    ("tháng trước nữa", "tháng trước nữa", months("2026-09")),
    ("thang truoc nua het may", "thang truoc nua", months("2026-09")),
    ("tháng lày nhà bác", "tháng lày", months("2026-11")),
    ("mã PA26BK0317702 kỳ này", "kỳ này", months("2026-11")),
    ("tiền điện nhà bà tháng này", "tháng này", months("2026-11")),
    ("tiền điện t10", "t10", months("2026-10")),
    ("hđ thg 10 của e", "thg 10", months("2026-10")),
    ("thang10 het bao nhieu", "thang10", months("2026-10")),
    ("tháng mười hết bao nhiêu", "tháng mười", months("2026-10")),
    ("tháng mười một này", "tháng mười một", months("2026-11")),
    ("tháng tư", "tháng tư", months("2026-04")),
    ("tháng 12", "tháng 12", months("2025-12")),
    ("tháng 12 năm ngoái", "tháng 12 năm ngoái", months("2025-12")),
    ("tháng 3 năm nay", "tháng 3 năm nay", months("2026-03")),
    ("tháng 10/2026", "tháng 10/2026", months("2026-10")),
    ("kỳ 2 tháng 10", "kỳ 2 tháng 10", months("2026-10")),
    ("hóa đơn 10/2026", "10/2026", months("2026-10")),
    ("hóa đơn 05-2026", "05-2026", months("2026-05")),
    ("3 tháng gần nhất", "3 tháng gần nhất", months("2026-08", "2026-10")),
    ("ba thang gan day", "ba thang gan day", months("2026-08", "2026-10")),
    ("mấy tháng nay", "mấy tháng nay", months("2026-05", "2026-10")),
    ("từ tháng 3 đến tháng 6", "tháng 3 đến tháng 6", months("2026-03", "2026-06")),
    ("tu thang 8 toi gio", "thang 8 toi gio", months("2026-08", "2026-11")),
    ("còn nợ t9 k ạ", "t9", months("2026-09")),
    ("ky vua roi dong ho chay may so", "ky vua roi", months("2026-10")),
    ("một năm vừa dồi", "một năm vừa dồi", months("2025-11", "2026-10")),
    ("từ t7 tới t9", "t7 tới t9", months("2026-07", "2026-09")),
    ("quý III", "quý III", months("2026-07", "2026-09")),
    ("tháng bẩy", "tháng bẩy", months("2026-07")),
    ("tháng 8, 9", "tháng 8", months("2026-08")),
    ("moi thang tu thang 5", "thang 5", months("2026-05")),
    ("nhà bác tháng này hết mấy", "tháng này", months("2026-11")),
    ("số điện thsng 5", "thsng 5", months("2026-05")),
    ("kì dồi hết bao nhiêu", "kì dồi", months("2026-10")),
    ("tiền điện thnag trứoc", "thnag trứoc", months("2026-10")),
    ("t1 đến t6", "t1 đến t6", months("2026-01", "2026-06")),
    ("tu dau nam 2025", "tu dau nam 2025", months("2025-01", "2026-11")),
    ("quý 3", "quý 3", months("2026-07", "2026-09")),
    ("quý trước", "quý trước", months("2026-07", "2026-09")),
    ("6 tháng đầu năm", "6 tháng đầu năm", months("2026-01", "2026-06")),
    ("cả năm ngoái", "cả năm ngoái", months("2025-01", "2025-12")),
    ("năm nay", "năm nay", months("2026-01", "2026-11")),
    ("năm 2024", "năm 2024", months("2024-01", "2024-12")),
    ("cùng kỳ năm trước", "cùng kỳ năm trước", months("2025-11")),
]

DATES = [
    ("hôm nay có cúp điện không", "hôm nay", "2026-11-24"),
    ("hnay có cúp điện k", "hnay", "2026-11-24"),
    ("mai có mất điện không", "mai", "2026-11-25"),
    ("chị Mai ơi mai có điện không", "mai", "2026-11-25"),
    ("chiều mai", "chiều mai", "2026-11-25"),
    ("mốt cắt điện à", "mốt", "2026-11-26"),
    ("ngày kia", "ngày kia", "2026-11-26"),
    ("tối qua mất điện", "tối qua", "2026-11-23"),
    ("hôm kia", "hôm kia", "2026-11-22"),
    ("thứ 7 này", "thứ 7 này", "2026-11-28"),
    ("thứ bảy", "thứ bảy", "2026-11-28"),
    ("t7 này cúp điện à", "t7 này", "2026-11-28"),
    ("thứ hai tuần sau", "thứ hai tuần sau", "2026-11-30"),
    ("thứ bảy vừa rồi", "thứ bảy vừa rồi", "2026-11-21"),
    ("thứ 3", "thứ 3", "2026-11-24"),
    ("chủ nhật tuần này", "chủ nhật tuần này", "2026-11-29"),
    ("cn có làm việc không", "cn", "2026-11-29"),
    ("15/11", "15/11", "2026-11-15"),
    ("ngày 5/1 có cắt điện", "ngày 5/1", "2027-01-05"),
    ("20-11-2026", "20-11-2026", "2026-11-20"),
    ("ngày 20", "ngày 20", "2026-11-20"),
    ("ngày 5", "ngày 5", "2026-12-05"),
    ("ngày 2 tháng 12", "ngày 2 tháng 12", "2026-12-02"),
    ("mùng 5 tháng sau", "mùng 5 tháng sau", "2026-12-05"),
    ("ngày hai lăm", "ngày hai lăm", "2026-11-25"),
    ("nộp hôm thứ Sáu", "thứ Sáu", "2026-11-27"),
    ("tra tien hom 18/11", "18/11", "2026-11-18"),
    ("hom 18 co nguoi den", "hom 18", "2026-11-18"),
    ("đưa hôm mùng 5", "mùng 5", "2026-12-05"),
    ("từ tối hôm qua đến giờ", "hôm qua", "2026-11-23"),
    ("của ngày hôm kia", "hôm kia", "2026-11-22"),
    ("Hẹn tôi thứ Tư đến", "thứ Tư", "2026-11-25"),
    ("sáng thứ tư", "thứ tư", "2026-11-25"),
    ("khất sang thứ tư nhé", "thứ tư", "2026-11-25"),
    ("chuyển từ thứ năm rồi mà", "thứ năm", "2026-11-19"),
    ("ngày mai thế nào", "ngày mai", "2026-11-25"),
    ("hôm qau dùng mấy số", "hôm qau", "2026-11-23"),
    ("cắt điện ngày mia à", "ngày mia", "2026-11-25"),
    ("mất điện từ saangs nay", "saangs nay", "2026-11-24"),
    ("hom qya mat dien", "hom qya", "2026-11-23"),
    ("chìu nay", "chìu nay", "2026-11-24"),
    ("sáng lay", "sáng lay", "2026-11-24"),
    ("mai nhà t có cúp k", "mai", "2026-11-25"),
    ("xem từ thứ 2 tới h", "thứ 2", "2026-11-30"),
    ("sáng sớm mai", "sáng sớm mai", "2026-11-25"),
    ("Tối chủ nhật này", "chủ nhật này", "2026-11-29"),
    ("chiều mốt", "chiều mốt", "2026-11-26"),
    ("maii có cắt điện không", "maii", "2026-11-25"),
    ("hn có điện không", "hn", "2026-11-24"),
    ("hai mươi tám tháng mười một", "hai mươi tám tháng mười một", "2026-11-28"),
]

MONEY = [
    ("500k", "500k", 500_000),
    ("1tr2", "1tr2", 1_200_000),
    ("1tr250", "1tr250", 1_250_000),
    ("350.000đ", "350.000đ", 350_000),
    ("350.000 đồng", "350.000 đồng", 350_000),
    ("1,4 triệu", "1,4 triệu", 1_400_000),
    ("một triệu hai", "một triệu hai", 1_200_000),
    ("mot trieu hai", "mot trieu hai", 1_200_000),
    ("hai triệu rưỡi", "hai triệu rưỡi", 2_500_000),
    ("triệu rưỡi", "triệu rưỡi", 1_500_000),
    ("nửa triệu", "nửa triệu", 500_000),
    ("năm trăm nghìn", "năm trăm nghìn", 500_000),
    ("2 triệu 860", "2 triệu 860", 2_860_000),
    ("chín chăm nghìn", "chín chăm nghìn", 900_000),
    ("2k2 một số", "2k2", 2_200),
    ("4 lít", "4 lít", 400_000),
    ("vừa chuyển 350000", "350000", 350_000),
    ("những một triệu hai, tháng trước ít hơn", "một triệu hai", 1_200_000),
    ("một triệu không trăm tám mươi nghìn", "một triệu không trăm tám mươi nghìn", 1_080_000),
    ("hơn 500 nghìn không", "500 nghìn", 500_000),
    ("thu 4 nghìn một số", "4 nghìn", 4_000),
    ("trả 300k một tháng", "300k", 300_000),
    ("một triệu mốt giờ làm sao", "một triệu mốt", 1_100_000),
    ("chuyển năm trăm à năm trăm hai chục nghìn", "năm trăm hai chục nghìn", 520_000),
    ("ddongs 730nghifn roofi", "730nghifn", 730_000),
    ("đóng hđ450k", "450k", 450_000),
]

ENERGY = [
    ("250 số", "250 số", 250),
    ("300kwh", "300kwh", 300),
    ("1.300 số", "1.300 số", 1300),
    ("200 ký điện", "200 ký điện", 200),
    ("200so het bao nhieu", "200so", 200),
    ("hai trăm rưỡi số", "hai trăm rưỡi số", 250),
    ("một nghìn hai trăm kwh", "một nghìn hai trăm kwh", 1200),
    ("hai trăm ba mươi bảy số", "hai trăm ba mươi bảy số", 237),
    ("dùng 1000 kw thì sao", "1000 kw", 1000),
    ("hết 300kw/h", "300kw/h", 300),
    ("dùng bốn trăm à bốn trăm rưỡi số", "bốn trăm rưỡi số", 450),
    ("dùng 250 sô", "250 sô", 250),
]

CODES = [
    ("mã PA04GT0001234 nhé", "PA04GT0001234", "PA04GT0001234"),
    ("pa04 gt 000 12 34", "pa04 gt 000 12 34", "PA04GT0001234"),
    ("PA04.PB.0710.882", "PA04.PB.0710.882", "PA04PB0710882"),
    ("PAO4TNOO45127", "PAO4TNOO45127", "PA04TN0045127"),
    ("PAO4GTOOO1234", "PAO4GTOOO1234", "PA04GT0001234"),
    ("mãPA04GT0001234 nhé", "PA04GT0001234", "PA04GT0001234"),
    ("pa 26 bk không không không bốn năm một hai", "pa 26 bk không không không bốn năm một hai", "PA26BK0004512"),
    ("P.A.0.4.S.C.0.0.4.5.1.1.9", "P.A.0.4.S.C.0.0.4.5.1.1.9", "PA04SC0045119"),
    ("pe01000123456", "pe01000123456", "PE01000123456"),
    (
        "pê a không bốn gê tê không không không một hai ba bốn",
        "pê a không bốn gê tê không không không một hai ba bốn",
        "PA04GT0001234",
    ),
]

PHONES = [
    ("sđt 0912345678", "0912345678", "0912345678"),
    ("+84 98 123 45 67", "+84 98 123 45 67", "0981234567"),
    ("84968112233", "84968112233", "0968112233"),
    ("0208 3855 123", "0208 3855 123", "02083855123"),
    ("0.9.6.8.3.3.4.5.6.1", "0.9.6.8.3.3.4.5.6.1", "0968334561"),
    ("o912 556 78o", "o912 556 78o", "0912556780"),
    ("o chín tám bẩy một một hai hai không ba", "o chín tám bẩy một một hai hai không ba", "0987112203"),
    ("0398,112,556 nhé", "0398,112,556", "0398112556"),
    ("(+84) 912345678", "(+84) 912345678", "0912345678"),
    ("ko chín một hai ba bốn năm sáu bảy tám", "ko chín một hai ba bốn năm sáu bảy tám", "0912345678"),
    ("số0912345678ạ", "0912345678", "0912345678"),
    ("số điện thoại 912345678", "912345678", "0912345678"),
]

OTHERS = [
    ("request_code", "hồ sơ YC26-000123 đến đâu", "YC26-000123", "YC26-000123"),
    ("request_code", "dv 2026 00391", "dv 2026 00391", "DV-2026-00391"),
    ("request_code", "yc26 000977", "yc26 000977", "YC26-000977"),
    (
        "request_code",
        "mã hồ sơ y xê hai sáu gạch không không chín một năm hai",
        "y xê hai sáu gạch không không chín một năm hai",
        "YC26-009152",
    ),
    ("request_code", "mã phiếu PX26-0012", "PX26-0012", "PX26-0012"),
    ("request_code", "mã yc261118-0093 duyệt chưa", "yc261118-0093", "YC261118-0093"),
    ("request_code", "yêu cầuu YC26-1O-00417", "YC26-1O-00417", "YC26-10-00417"),
    ("meter_serial", "công tơ số 21-447093 đi kiểm định", "21-447093", "21-447093"),
    (
        "meter_serial",
        "công tơ nhà tôi số là hai không năm bốn chín bảy một tám",
        "hai không năm bốn chín bảy một tám",
        "20549718",
    ),
    ("service", "bảo thay cái đếm điện", "thay cái đếm điện", "service_meter_check"),
    ("service", "đơn chuyển mục đích sử dụng", "chuyển mục đích sử dụng", "service_purpose_change"),
    ("meter_serial", "công tơ số 21034567", "21034567", "21034567"),
    ("meter_serial", "seri 21 034 567", "21 034 567", "21034567"),
    ("notice_kind", "tắt thông báo cúp điện cho tôi", "cúp điện", "outage"),
    ("notice_kind", "huy nhan tin quang cao", "quang cao", "news"),
    ("notice_kind", "đăng ký báo lịch cắt điện", "cắt điện", "outage"),
    ("notice_kind", "đừng gửi tin dục nợ nữa", "dục nợ", "reminder"),
    ("notice_kind", "toàn tin tức, phiền quá", "tin tức", "news"),
    ("notice_kind", "ĐĂNG KÍ NHẬN TIN CẮT ĐIÊNJ", "CẮT ĐIÊNJ", "outage"),
    ("service", "nộp giấy xang tên mãi chưa thấy", "xang tên", "service_owner_change"),
    ("service", "đơn xin công tơ đến đâu", "xin công tơ", "service_new_supply"),
    ("service", "hồ sơ sang tên của tôi đến đâu rồi", "sang tên", "service_owner_change"),
]


@pytest.mark.parametrize(
    ("entity", "text", "words", "value"),
    [
        *(("period", *row) for row in PERIODS),
        *(("date", *row) for row in DATES),
        *(("money", *row) for row in MONEY),
        *(("energy", *row) for row in ENERGY),
        *(("customer_code", *row) for row in CODES),
        *(("phone", *row) for row in PHONES),
        *OTHERS,
    ],
)
def test_value_and_offsets(entity: str, text: str, words: str, value: Any) -> None:
    assert found(text, entity) == [(words, value)]


@pytest.mark.parametrize(("text", "words", "value"), PERIODS[:3] + PERIODS[6:9] + PERIODS[21:23])
def test_offsets_hold_for_decomposed_text(text: str, words: str, value: Any) -> None:
    sent = unicodedata.normalize("NFD", f"ạ {text} ạ")
    [(said, got)] = found(sent, "period")
    assert unicodedata.normalize("NFC", said) == words
    assert got == value


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("place", "giao dịch thành công rồi mà"),
        ("place", "dong tien dien thang 10"),
        ("place", "xuất hóa đơn cho tôi"),
        ("place", "Nguyễn Văn Lang"),
        ("place", "nhà ở Bắc Sơn, Lạng Sơn"),
        ("place", "nhà ở quận Cầu Giấy, Hà Nội"),
        ("place", "nhắn cho trưởng bản một tiếng"),
        ("place", "yêu cầu 26 đến đâu"),
        ("money", "hết mấy trăm nghìn"),
        ("money", "gói st120k"),
        ("money", "ba cu o xa"),
        ("money", "bình 40 lít"),
        ("period", "tính theo bậc thang này"),
        ("money", "năm hai nghìn không trăm hai mươi sáu"),
        ("money", "bán 100m2 đất"),
        ("money", "iphone 11 cũ"),
        ("energy", "số điện thoại 2 số cuối là gì"),
        ("energy", "một số điện bao nhiêu tiền"),
        ("energy", "tăng công suất lên 40 kW"),
        ("energy", "đổi 15 kí gạo"),
        ("date", "mấy hôm nay điện yếu"),
        ("date", "hóa đơn thứ hai"),
        ("date", "tôi quá mệt"),
        ("date", "bên thứ ba"),
        ("date", "gọi 24/7"),
        ("date", "trả lại cho toi mot lan"),
        ("date", "app maai ko được"),
        ("date", "em ở HN mới về"),
        ("date", "mùng 10 hàng tháng mới có lương"),
        ("date", "hay van ngay 12 nhu cu"),
        ("date", "tháng 12 chưa qua nửa"),
        ("date", "từ đó tới nay"),
        ("date", "hôm ăn cỗ"),
        ("money", "e còn nợ tháng 9 k ạ"),
        ("period", "bán rồi mà vẫn hiện, kỳ quá"),
        ("period", "nó chạy được mấy ký rồi"),
        ("period", "nhận tin hằng tháng qua zalo"),
        ("period", "từng tháng một"),
        ("period", "mười mấy năm rồi"),
        ("phone", "mã 123456789012"),
        ("customer_code", "pin khỏe phết"),
        ("notice_kind", "theo dõi tiền nong"),
    ],
)
def test_what_is_no_entity(entity: str, text: str) -> None:
    assert found(text, entity) == []


def test_a_month_is_counted_from_the_time_of_the_message() -> None:
    assert found("tháng trước", "period", date(2026, 1, 5)) == [("tháng trước", months("2025-12"))]
    assert found("quý trước", "period", date(2026, 2, 1)) == [("quý trước", months("2025-10", "2025-12"))]
    assert found("29/2", "date", date(2024, 2, 1)) == [("29/2", "2024-02-29")]
    assert found("29/2", "date", TODAY) == []


def test_message_time_is_read_as_local_day() -> None:
    assert moment_of("2026-11-23T18:30:00Z") == date(2026, 11, 24)
    assert moment_of("2026-11-23T18:30:00+07:00") == date(2026, 11, 23)
    assert moment_of("2026-11-23") == date(2026, 11, 23)
    with pytest.raises(ValueError, match="Invalid isoformat"):
        moment_of("hôm nay")


def test_several_entities_in_one_message() -> None:
    text = "mã PA04GT0001234 tháng 10 dùng 250 số hết 1tr2, gọi 0912345678 ở xã Bình Yên"
    names = [entity.entity for entity in extract(text, TODAY)]
    assert names == ["customer_code", "period", "energy", "money", "phone", "place"]


def test_entities_of_any_text_do_not_overlap_and_stay_inside() -> None:
    texts = random_texts(1500, seed=7) + [row[0] for row in PERIODS + DATES + MONEY + ENERGY + CODES + PHONES]
    for text in texts:
        end = 0
        for entity in extract(text, TODAY):
            assert end <= entity.start < entity.end <= len(text)
            end = entity.end


def test_values_do_not_need_marks() -> None:
    for text, _, value in DATES[:3] + DATES[9:11] + MONEY[:3] + ENERGY[:3]:
        values = [entity.value for entity in extract(fold(text), TODAY)]
        assert value in values, fold(text)
