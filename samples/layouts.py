"""The sheets themselves: prose, columns, letters, invoices, forms, cards, small print. Each draws its words from `texts/`."""

from __future__ import annotations

from random import Random

from samples.sheets import A4, CARD, Line, Sheet, Type, above, block, paragraphs_of

SERIF = Type("Times-Roman", 11, 14.5)
BOLD = Type("Times-Bold", 16, 20)
SANS = Type("Helvetica", 9.5, 12.5)
SANS_BOLD = Type("Helvetica-Bold", 12, 15)
TYPED = Type("Courier", 11, 15)
SMALL = Type("Times-Roman", 7, 8.6)
LARGE = Type("Times-Roman", 14, 18.5)
TITLES = (
    "The Morning Ferry",
    "A Book of Small Hours",
    "Notes from the Valley",
    "On Bread and Other Matters",
    "Accounts",
)


def prose(random: Random) -> Sheet:
    return _page_of(paragraphs_of("prose"), random.choice(TITLES), random)


def large_print(random: Random) -> Sheet:
    texts = paragraphs_of("prose")
    random.shuffle(texts)
    return Sheet(*A4, tuple(above(block(texts, (70, 84), LARGE, 68), 790)))


def german(random: Random) -> Sheet:
    return _page_of(paragraphs_of("german"), "Über Land und Wasser", random)


def two_columns(random: Random) -> Sheet:
    texts = paragraphs_of("prose")
    random.shuffle(texts)
    left = above(block(texts[:5], (48, 96), SANS, 46), 780)
    right = above(block(texts[5:], (312, 96), SANS, 46), 780)
    return Sheet(*A4, (Line(48, 64, random.choice(TITLES), BOLD), *left, *right))


def letter(random: Random) -> Sheet:
    hand = random.choice((SERIF, TYPED))
    sender = random.choice(("Hallam & Daughters", "Office of the Town Clerk", "Weir Street Stores"))
    head = [sender, f"{random.randint(2, 98)} Weir Street", "Port Ellery PE4 7QT"]
    date = (
        f"{random.randint(2, 28)} {random.choice(('March', 'June', 'October'))} {random.randint(1996, 2026)}"
    )
    body = random.sample(paragraphs_of("letters"), 3)
    lines = block(["Dear Sir or Madam,", *body, "Yours faithfully,"], (70, 250), hand, 68)
    name = Line(
        70, lines[-1].y + 60, random.choice(("R. Teague", "Margaret Oyelaran", "P. Vance, Secretary")), hand
    )
    return Sheet(
        *A4,
        (
            *(Line(360, 70 + 18 * index, text, hand) for index, text in enumerate(head)),
            Line(70, 190, date, hand),
            *lines,
            name,
        ),
    )


def invoice(random: Random) -> Sheet:
    columns = (60.0, 320.0, 400.0, 490.0)
    number = random.randint(10_000, 99_999)
    lines = [Line(60, 80, "Invoice", BOLD), Line(60, 104, f"Number {number}, due within 30 days", SANS)]
    lines += _row(columns, 150, ("Description", "Quantity", "Unit price", "Amount"), SANS_BOLD)
    goods = (
        "Oak boards, planed",
        "Brass hinges, 60 mm",
        "Wood screws, box of 200",
        "Linseed oil, 5 litres",
        "Sandpaper, fine",
    )
    total = 0
    for index, name in enumerate(random.sample(goods, 4)):
        count, pence = random.randint(1, 40), random.randint(120, 9_900)
        total += count * pence
        lines += _row(
            columns, 176 + 20 * index, (name, str(count), _money(pence), _money(count * pence)), SANS
        )
    lines += _row(columns[2:], 276, ("Total", _money(total)), SANS_BOLD)
    lines += block(
        ["Please quote the invoice number with your payment. Goods remain ours until they are paid for."],
        (60, 330),
        SANS,
        90,
    )
    return Sheet(*A4, tuple(lines), ((60, 156, 540, 156), (60, 262, 540, 262)))


def form(random: Random) -> Sheet:
    answers = {
        "Surname": random.choice(("Brightwater", "Fenn", "Almeida")),
        "First names": random.choice(("Ada Louise", "Tobias", "Ines Maria")),
        "Date of birth": f"{random.randint(1, 28):02}.{random.randint(1, 12):02}.{random.randint(1950, 2004)}",
        "Street and number": f"{random.randint(1, 99)} Quay Street",
        "Town": "Port Ellery",
        "Telephone": f"01632 960 {random.randint(100, 999)}",
    }
    lines = [
        Line(60, 80, "Application for a Reader's Ticket", BOLD),
        Line(60, 104, "Please fill in with block letters.", SANS),
    ]
    rules = []
    for index, (label, answer) in enumerate(answers.items()):
        y = 150.0 + 36 * index
        lines += [Line(60, y, label, SANS), Line(200, y, answer, TYPED)]
        rules.append((195.0, y + 5, 540.0, y + 5))
    lines += block(["I have read the rules of the library and shall keep them."], (60, 400), SANS, 90)
    return Sheet(*A4, tuple(lines), tuple(rules))


def card(random: Random) -> Sheet:
    cards = (paragraphs_of("cards")[0]).splitlines()
    name, *rest = random.choice(cards).split("|")
    return Sheet(*CARD, (Line(16, 30, name, SANS_BOLD), *block(rest, (16, 52), SANS, 60)))


def small_print(random: Random) -> Sheet:
    texts = paragraphs_of("small_print") * 3
    random.shuffle(texts)
    return Sheet(*A4, tuple(block(texts, (60, 70), SMALL, 130)))


def empty(_: Random) -> Sheet:
    return Sheet(*A4)


def _page_of(texts: list[str], title: str, random: Random) -> Sheet:
    random.shuffle(texts)
    number = Line(290, 812, str(random.randint(2, 398)), SERIF)
    return Sheet(
        *A4,
        (Line(70, 76, title, BOLD), *above(block(texts, (70, 112), SERIF, 88), 780), number),
    )


def _row(columns: tuple[float, ...], y: float, cells: tuple[str, ...], type_: Type) -> list[Line]:
    return [Line(x, y, cell, type_) for x, cell in zip(columns, cells, strict=True)]


def _money(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02}"
