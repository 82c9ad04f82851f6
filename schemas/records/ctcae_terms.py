"""Clinical terms of CTCAE: what a recorded word means, and the grades of each version.

CTCAE terms are lowest-level terms of MedDRA in US spelling, so a registry that codes preferred
terms writes Pyrexia, Diarrhoea and Weight decreased for Fever, Diarrhea and Weight loss: terms are
mapped by synonym, never by equality alone. Codes are those that CTCAE itself prints.

The clinical terms of version 6.0 were not at hand: admiral transcribes its laboratory terms alone.
No term has grades in 6.0 here, and what that version would count has no number.

Source: National Cancer Institute, CTCAE v3.0 (2006), v4.03 (2010), v5.0 (2017); grade text of
NCIP/caAERS CTCAEv3Grades.txt and its CTCAE v4 script. Version 5.0 clinical texts other than
fatigue, nausea and vomiting were read in transcriptions only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schemas.records.record import checked
from schemas.words import plain_name

Grades = tuple[int, int]
"""Mildest and worst grade that a version has for a term."""


NOT_HELD = ("6.0",)
"""Versions whose clinical terms are not held here: whether they have a term is not known."""
CTCAE = "CTCAE v3.0 (NCI 2006), v4.03 (NCI 2010) and v5.0 (NCI 2017)"


@dataclass(frozen=True, slots=True)
class ClinicalTerm:
    """One clinical term: our name, its name and grades in each version, and what else it is called.

    `abroad` are its names in German, French, Italian, Spanish and Dutch.

    `v3_name` is the name in version 3.0; 4.03 and 5.0 share `name`. A version that is missing in
    `grades` does not have the term. A term that is `always` published stands in the summary even
    when nobody has it: the clinical toxicities of Memon et al. 2012.
    """

    term: str
    name: str
    v3_name: str
    meddra_code: int
    grades: Mapping[str, Grades]
    synonyms: tuple[str, ...] = field(default=())
    source: str = CTCAE
    abroad: tuple[str, ...] = field(default=())
    always: bool = False

    def spellings(self) -> frozenset[str]:
        """The plain form (`plain_name`) of everything that means this term."""
        ours = (self.term, self.name, self.v3_name, *self.synonyms, *self.abroad)
        return frozenset(map(plain_name, ours))


@dataclass(frozen=True, slots=True)
class Union:
    """A named composite: patients with any of the terms, or with all of them, in the window."""

    term: str
    members: tuple[str, ...]
    every: bool = False
    always: bool = True


def _grades(v3: Grades, v4: Grades, v5: Grades | None = None) -> Mapping[str, Grades]:
    return {"3.0": v3, "4.03": v4, "5.0": v5 or v4}


def _problems(record: ClinicalTerm) -> Iterator[str]:
    """What is wrong with a term beside its name and source."""
    if not 10_000_000 <= record.meddra_code <= 19_999_999:
        yield "no MedDRA code. Give the eight digits that CTCAE prints."
    for version, (mildest, worst) in record.grades.items():
        if not 1 <= mildest <= worst <= 5:
            yield f"grades {mildest} to {worst} in {version}. Give mildest and worst of 1 to 5."


_TERMS: tuple[ClinicalTerm, ...] = (
    ClinicalTerm(
        "fatigue",
        "Fatigue",
        "Fatigue (asthenia, lethargy, malaise)",
        10016256,
        _grades((1, 4), (1, 3)),
        ("tiredness", "asthenia", "lethargy"),
        abroad=(
            "müdigkeit",
            "muedigkeit",
            "erschöpfung",
            "abgeschlagenheit",
            "fatigue-syndrom",
            "asthénie",
            "asthenie",
            "épuisement",
            "affaticamento",
            "stanchezza",
            "astenia",
            "fatiga",
            "cansancio",
            "vermoeidheid",
            "moeheid",
        ),
        always=True,
    ),
    ClinicalTerm(
        "abdominal pain",
        "Abdominal pain",
        "Pain - Abdomen NOS",
        10000081,
        _grades((1, 4), (1, 3)),
        ("pain, abdominal", "abdomen pain"),
        abroad=(
            "bauchschmerz",
            "bauchschmerzen",
            "abdominalschmerz",
            "abdominelle schmerzen",
            "oberbauchschmerzen",
            "douleur abdominale",
            "douleurs abdominales",
            "dolore addominale",
            "dolori addominali",
            "dolor abdominal",
            "buikpijn",
            "abdominale pijn",
        ),
        always=True,
    ),
    ClinicalTerm(
        "nausea",
        "Nausea",
        "Nausea",
        10028813,
        _grades((1, 5), (1, 3)),
        abroad=(
            "übelkeit",
            "uebelkeit",
            "nausée",
            "nausées",
            "nausees",
            "nausee",
            "náusea",
            "náuseas",
            "nauseas",
            "misselijkheid",
        ),
        always=True,
    ),
    ClinicalTerm(
        "vomiting",
        "Vomiting",
        "Vomiting",
        10047700,
        _grades((1, 5), (1, 5)),
        ("emesis",),
        abroad=(
            "erbrechen",
            "vomissement",
            "vomissements",
            "vomito",
            "vómito",
            "vómitos",
            "vomitos",
            "braken",
            "overgeven",
        ),
        always=True,
    ),
    ClinicalTerm(
        "fever",
        "Fever",
        "Fever (in absence of neutropenia)",
        10016558,
        _grades((1, 5), (1, 5)),
        (
            "pyrexia",
            "fever (in the absence of neutropenia, where neutropenia is defined as "
            "anc <1.0 x 10e9/l)",
        ),
        abroad=(
            "fieber",
            "fièvre",
            "fievre",
            "febbre",
            "fiebre",
            "koorts",
            "pyrexie",
        ),
        always=True,
    ),
    ClinicalTerm(
        "chills",
        "Chills",
        "Rigors/chills",
        10008531,
        _grades((1, 3), (1, 3)),
        ("rigors", "rigor"),
        abroad=(
            "schüttelfrost",
            "schuettelfrost",
            "frissons",
            "brividi",
            "escalofríos",
            "escalofrios",
            "koude rillingen",
            "rillingen",
        ),
        always=True,
    ),
    ClinicalTerm(
        "diarrhea",
        "Diarrhea",
        "Diarrhea",
        10012727,
        _grades((1, 5), (1, 5)),
        ("diarrhoea",),
        abroad=(
            "durchfall",
            "diarrhö",
            "diarrhöe",
            "diarrhoe",
            "diarrhée",
            "diarrhee",
            "diarrea",
            "diarree",
        ),
        always=True,
    ),
    ClinicalTerm(
        "weight loss",
        "Weight loss",
        "Weight loss",
        10047900,
        _grades((1, 3), (1, 3)),
        ("weight decreased", "loss of weight"),
        abroad=(
            "gewichtsverlust",
            "gewichtsabnahme",
            "perte de poids",
            "amaigrissement",
            "perdita di peso",
            "calo ponderale",
            "pérdida de peso",
            "perdida de peso",
            "gewichtsverlies",
        ),
        always=True,
    ),
    ClinicalTerm(
        "cholecystitis",
        "Cholecystitis",
        "Cholecystitis",
        10008612,
        _grades((1, 5), (2, 5)),
        ("radiation cholecystitis",),
        abroad=(
            "cholezystitis",
            "strahlencholezystitis",
            "cholécystite",
            "cholecystite",
            "cholécystite radique",
            "colecistite",
            "colecistitis",
        ),
        always=True,
    ),
    ClinicalTerm(
        "ascites",
        "Ascites",
        "Ascites (non-malignant)",
        10003445,
        _grades((1, 5), (1, 5)),
        abroad=(
            "aszites",
            "bauchwassersucht",
            "ascite",
            "ascitis",
            "ascitesvocht",
        ),
    ),
    ClinicalTerm(
        "hepatic failure",
        "Hepatic failure",
        "Liver dysfunction/failure (clinical)",
        10019663,
        _grades((2, 5), (3, 5)),
        ("liver failure", "reild"),
        abroad=(
            "leberversagen",
            "leberinsuffizienz",
            "insuffisance hépatique",
            "insuffisance hepatique",
            "défaillance hépatique",
            "insufficienza epatica",
            "insuficiencia hepática",
            "insuficiencia hepatica",
            "fallo hepático",
            "leverfalen",
        ),
    ),
    ClinicalTerm(
        "hepatic pain",
        "Hepatic pain",
        "Pain - Liver",
        10019705,
        _grades((1, 4), (1, 3)),
        ("liver pain",),
        abroad=(
            "leberschmerz",
            "leberschmerzen",
            "douleur hépatique",
            "douleur hepatique",
            "dolore epatico",
            "dolor hepático",
            "dolor hepatico",
            "leverpijn",
        ),
    ),
    ClinicalTerm(
        "gastric ulcer",
        "Gastric ulcer",
        "Ulcer, GI - Stomach",
        10017822,
        _grades((1, 5), (1, 5)),
        abroad=(
            "magengeschwür",
            "magenulkus",
            "ulcus ventriculi",
            "ulcère gastrique",
            "ulcere gastrique",
            "ulcera gastrica",
            "úlcera gástrica",
            "maagzweer",
        ),
    ),
    ClinicalTerm(
        "duodenal ulcer",
        "Duodenal ulcer",
        "Ulcer, GI - Duodenum",
        10013836,
        _grades((1, 5), (1, 5)),
        abroad=(
            "zwölffingerdarmgeschwür",
            "duodenalulkus",
            "ulcus duodeni",
            "ulcère duodénal",
            "ulcere duodenal",
            "ulcera duodenale",
            "úlcera duodenal",
            "ulcera duodenal",
            "zweer van de twaalfvingerige darm",
        ),
    ),
    ClinicalTerm(
        "anorexia",
        "Anorexia",
        "Anorexia",
        10002646,
        _grades((1, 5), (1, 5)),
        ("decreased appetite", "loss of appetite"),
        abroad=(
            "appetitlosigkeit",
            "inappetenz",
            "anorexie",
            "perte d'appétit",
            "anoressia",
            "inappetenza",
            "perdita di appetito",
            "pérdida de apetito",
            "gebrek aan eetlust",
            "verminderde eetlust",
        ),
    ),
    ClinicalTerm(
        "pneumonitis",
        "Pneumonitis",
        "Pneumonitis/pulmonary infiltrates",
        10035742,
        _grades((1, 5), (1, 5)),
        ("radiation pneumonitis",),
        abroad=(
            "strahlenpneumonitis",
            "pneumonite",
            "pneumopathie radique",
            "polmonite da radiazioni",
            "neumonitis",
            "neumonitis por radiación",
            "pneumonie radique",
            "bestralingspneumonitis",
        ),
    ),
    ClinicalTerm(
        "flushing",
        "Flushing",
        "Flushing",
        10016825,
        _grades((1, 2), (1, 3)),
        abroad=(
            "gesichtsrötung",
            "flush",
            "bouffées vasomotrices",
            "bouffée vasomotrice",
            "vampate",
            "rossore",
            "rubor",
            "rubefacción",
            "opvliegers",
            "blozen",
        ),
    ),
)
TERMS: tuple[ClinicalTerm, ...] = checked(
    "ctcae_terms",
    _TERMS,
    code=lambda r: r.term,
    source=lambda r: r.source,
    problems=_problems,
)

UNIONS: tuple[Union, ...] = (
    Union("nausea or vomiting", ("nausea", "vomiting")),
    Union("fever or chills", ("fever", "chills")),
    Union("diarrhea or weight loss", ("diarrhea", "weight loss")),
    Union("diarrhea and weight loss", ("diarrhea", "weight loss"), every=True),
    Union(
        "post-embolisation syndrome",
        ("fatigue", "nausea", "vomiting", "anorexia", "fever", "abdominal pain"),
    ),
)
"""The pairs that the founding series prints as one line; the last is ambiguous there, so both
readings are published. Source: Kanani on Memon et al. 2012, toxicity paragraph. The symptoms after
embolisation that series count as one syndrome: C. van Roekel, doctoral thesis (2020), page 38;
Riaz, Awais and Salem, Front Oncol 2014;4:198, of which the abstract was read."""

ALWAYS_PUBLISHED: tuple[str, ...] = (
    *(t.term for t in TERMS if t.always),
    *(u.term for u in UNIONS if u.always),
)
"""Published even when nobody has them. Source: Memon et al. 2012, toxicity paragraph."""

SURGICAL_GRADE = 3
"""A cholecystectomy is operative treatment: grade 3 in every version, 4 if urgent."""
