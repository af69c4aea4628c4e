"""What the programme is made of: names nobody has, goods, places, and why the desk did things."""

from typing import Final, NamedTuple

FIRST_NAMES: Final = (
    "Abel", "Ada", "Alma", "Amara", "Anouk", "Arlo", "Asha", "Bea", "Bruno", "Callum", "Carmen",
    "Cleo", "Dalia", "Dario", "Edie", "Elias", "Emre", "Esme", "Farah", "Felix", "Freya", "Gus",
    "Hana", "Hugo", "Ida", "Imogen", "Ines", "Ivo", "Jarrah", "Jonas", "June", "Kai", "Kirra",
    "Lars", "Leila", "Lena", "Linh", "Luca", "Mabel", "Mateo", "Mei", "Mila", "Moana", "Nadia",
    "Nico", "Nora", "Odette", "Omar", "Otis", "Paloma", "Pearl", "Petra", "Priya", "Quentin",
    "Rafael", "Ravi", "Rosa", "Ruben", "Sana", "Selma", "Silas", "Sofia", "Tariq", "Tess", "Theo",
    "Uma", "Viola", "Wren", "Xenia", "Yara", "Yusuf", "Zara", "Zeno",
)  # fmt: skip
LAST_NAMES: Final = (
    "Amberwell", "Ashgrove", "Barleycorn", "Bellweather", "Birchmoor", "Brightwater", "Candlewick",
    "Cloverfield", "Coldbrook", "Copperfox", "Dewberry", "Driftwood", "Elderfen", "Fairlight",
    "Fernhollow", "Foxglove", "Goldfinch", "Greenhithe", "Halfmoon", "Hartswell", "Hazelnut",
    "Honeydew", "Ironbark", "Kestrelby", "Larkspur", "Lavenderley", "Longmeadow", "Lowtide",
    "Maplethorp", "Marigold", "Millrace", "Mossbank", "Nightjar", "Oakenshaw", "Otterburn",
    "Pebblewick", "Quillfeather", "Rainbird", "Redgum", "Rosewarne", "Saltmarsh", "Silverbeet",
    "Skylark", "Snowgum", "Starling", "Stillwater", "Tanglewood", "Thistledown", "Thornapple",
    "Tidewell", "Underhill", "Wattlebird", "Whitethorn", "Wildbriar", "Willowmere", "Windrush",
    "Winterbourne", "Yarrow",
)  # fmt: skip
MAIL_DOMAINS: Final = ("example.com", "example.net", "example.org")
"""Kept free for examples: no mail to them ever arrives."""


class Good(NamedTuple):
    """Something the shops sell; the price is in minor units."""

    sku: str
    name: str
    department: str
    price: int


GOODS: Final = (
    Good("bowl-s", "Stoneware bowl, small", "Kitchen", 1495),
    Good("bowl-l", "Stoneware bowl, large", "Kitchen", 2995),
    Good("mug", "Speckled mug", "Kitchen", 1650),
    Good("teapot", "Cast-iron teapot", "Kitchen", 6900),
    Good("towel", "Linen tea towel", "Kitchen", 1190),
    Good("board", "Blackwood serving board", "Kitchen", 5450),
    Good("pan", "Cast-iron pan", "Kitchen", 8900),
    Good("candle-fig", "Candle, fig", "Home", 2450),
    Good("candle-sea", "Candle, sea salt", "Home", 2450),
    Good("cushion", "Wool cushion", "Home", 4990),
    Good("throw", "Merino throw", "Home", 12900),
    Good("vase", "Recycled glass vase", "Home", 3850),
    Good("lamp", "Paper lamp", "Home", 7900),
    Good("frame", "Picture frame, ash", "Home", 2299),
    Good("soap", "Olive soap", "Bath", 895),
    Good("salts", "Bath salts", "Bath", 1990),
    Good("bath-towel", "Waffle bath towel", "Bath", 3990),
    Good("notebook", "Dotted notebook", "Paper", 1799),
    Good("cards", "Letterpress cards, set of six", "Paper", 1450),
    Good("pen", "Brass pen", "Paper", 3499),
    Good("wrap", "Wrapping paper", "Paper", 695),
    Good("cake", "Birthday cake", "Pantry", 3200),
    Good("coffee", "Coffee beans, 250 g", "Pantry", 1600),
    Good("tea", "Lemon myrtle tea", "Pantry", 1250),
    Good("jam", "Quandong jam", "Pantry", 990),
    Good("chocolate", "Dark chocolate with wattleseed", "Pantry", 795),
    Good("planter", "Terracotta planter", "Garden", 2750),
    Good("shears", "Garden shears", "Garden", 4450),
    Good("seeds", "Wildflower seeds", "Garden", 550),
)
PLACES: Final = ((3, "Harbour Lane"), (4, "Station Arcade"), (7, "Hilltop"), (9, "Old Market"))
"""Shops: their number and their name."""
WEBSHOP: Final = 90

WHY_GOODWILL: Final = (
    "Parcel came three days late.",
    "The mug arrived with a chip.",
    "Waited long at the counter.",
    "Was charged twice, refunded, and is to be consoled.",
)
WHY_ADJUSTED: Final = ("Typed 20 instead of 15.", "Agreed on another amount by phone.")
WHY_REVOKED: Final = ("Issued to the wrong person.", "Issued twice by mistake.")
WHY_LEFT: Final = ("Moves abroad.", "Wants no more mail.")
