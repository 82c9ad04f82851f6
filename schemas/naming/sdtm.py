"""CDISC SDTM: which domain and variable feeds which table of ours.

Source: CDISC Study Data Tabulation Model Implementation Guide 3.4 (2021), domains DM, EX, LB, AE,
RS, SS, SV, TR, TU, VS, MH; CDISC SDTM Controlled Terminology: TRTESTCD (LDIAM, LPERP, DIAMETER,
TUMSTATE), TUTESTCD (TUMIDENT), RSTESTCD (OVRLRESP, NTRGRESP), SSTESTCD (SURVSTAT), AEOUT,
MHEVDTYP; the oncology example data of pharmaverse's pharmaversesdtm, for how they are filled.
"""

from schemas.naming.preset import Among, ByHand, Column, Given, One, Preset, Said

DOMAINS = ("AE", "CM", "DS", "EX", "LB", "MH", "PR", "QS", "RS", "SS", "SV", "TR", "TU", "VS")
LIVER = {"TULOC": {"in": ["LIVER", "LIVER, LEFT LOBE", "LIVER, RIGHT LOBE"]}}
SIZES = ("LDIAM", "DIAMETER", "LPERP")
INVESTIGATOR = One(("INVESTIGATOR",))
MODALITY = Said("TRMETHOD", (("other", "PET"), ("CT", "CT"), ("MRI", "MRI|MAGNETIC")), "other")
NOT_DONE = {"where": {"TRSTAT": "NOT DONE"}, "constant": "not_evaluable"}
NO_RESULT = {"where": {"TRORRES": {"filled": False}}, "constant": "not_evaluable"}
STATES = (
    ("absent", ("ABSENT", "DISAPPEARED")),
    ("too_small", ("TOO SMALL TO MEASURE",)),
    ("not_evaluable", ("NOT EVALUABLE", "NE")),
)
STATE = [{"where": {"TRORRES": {"in": list(of)}}, "constant": ours} for ours, of in STATES]
SIZED = (
    {"constant": "measured", "when": [NOT_DONE, NO_RESULT]},
    {"constant": "measured", "when": [NO_RESULT]},
)
"""A diameter that is not there is no size: missing must never look like shrinkage."""
READ: dict[str, Column | tuple[Column, ...]] = {
    "scan_date": "TRDTC",
    "modality": MODALITY,
    "reader": (
        {"from": ["TREVALID", "TREVAL"], "when": [
            {"where": {"TREVAL": "INVESTIGATOR"}, "constant": "local"}]},
        {"from": "TREVAL", "when": [{"where": {"TREVAL": "INVESTIGATOR"}, "constant": "local"}]},
    ),
}  # fmt: skip
CLASSES = {"CR": "CR", "PR": "PR", "SD": "SD", "PD": "PD", "NE": "NE"}


def _measured(code: str, column: str, *, says: bool = True) -> Given:
    """The rows of TR with one diameter."""
    return Given(
        "measurements",
        "TR",
        {
            **READ,
            "lesion_id": "TRLNKID",
            column: ("TRSTRESN", "TRSTRESC", "TRORRES"),
            **({"status": SIZED} if says else {}),
        },
        where={"TRTESTCD": code, "TREVAL": INVESTIGATOR},
        must=("TRTESTCD", "TRLNKID"),
        units={column: "TRSTRESU"},
        merge=True,
    )


def _vital(code: str, column: str) -> Given:
    return Given(
        "assessments",
        "VS",
        {"assessment_date": "VSDTC", column: ("VSSTRESN", "VSORRES")},
        where={"VSTESTCD": code},
        must=("VSTESTCD",),
        units={column: "VSSTRESU"},
        merge=True,
        if_filled=("VSORRES",),
    )


GIVEN = (
    Given(
        "patients",
        "DM",
        {
            "sex": Said("SEX", (("female", "^F"), ("male", "^M")), "unknown", ("F", "M", "U")),
            "birth_year": ({"year_of": "BRTHDTC"}, {"age": "AGE", "at": "RFSTDTC"}),
            "diagnosis_date": {
                "from": "MHSTDTC",
                "file": "MH",
                "on": ["USUBJID"],
                "among": {"MHEVDTYP": "DIAGNOSIS"},
            },
        },
    ),
    Given(
        "treatments",
        "EX",
        {
            "treatment_date": "EXSTDTC",
            "target_id": "EXSEQ",
            "device": Said(
                "EXTRT", (("glass", "glass|thera-?sphere"), ("resin", "resin|sir-?sphere"))
            ),
            "lobe": Said(
                "EXLAT",
                (("right", "^RIGHT"), ("left", "^LEFT"), ("whole", "^BILATERAL")),
                known=("RIGHT", "LEFT", "BILATERAL"),
            ),
            "activity_administered_gbq": "EXDOSE",
        },
        where={"EXTRT": Among("glass|resin|thera-?sphere|sir-?sphere|y-?90|90-?y|yttrium")},
        must=("EXTRT",),
        units={"activity_administered_gbq": "EXDOSU"},
        note="microspheres are recognised by the name of the treatment",
    ),
    Given(
        "lesions",
        "TU",
        {
            "lesion_id": "TULNKID",
            "organ": Said("TULOC", (("liver", "^LIVER"), ("node", "LYMPH NODE")), "other"),
            "lobe": {
                "when": [
                    {"where": {**LIVER, "TULAT": "RIGHT"}, "constant": "right"},
                    {"where": {**LIVER, "TULAT": "LEFT"}, "constant": "left"},
                ]
            },
            "index_lesion": {
                "constant": True,
                "when": [{"where": {"TUORRES": "NEW"}, "constant": False}],
            },
            "recist_target": {
                "when": [
                    {"where": {"TUORRES": "TARGET"}, "constant": True},
                    {"where": {"TUORRES": {"in": ["NON-TARGET", "NEW"]}}, "constant": False},
                ]
            },
        },
        where={"TUTESTCD": "TUMIDENT", "TUEVAL": INVESTIGATOR},
        must=("TUTESTCD", "TUORRES"),
        merge=True,
    ),
    Given(
        "scans",
        "TR",
        {
            **READ,
            "non_target": {
                "from": "RSORRES",
                "file": "RS",
                "on": ["USUBJID", "VISITNUM"],
                "among": {"RSTESTCD": "NTRGRESP", "RSEVAL": "INVESTIGATOR"},
                "codes": {
                    "CR": "complete_response",
                    "NON-CR/NON-PD": "non_cr_non_pd",
                    "PD": "progression",
                    "NE": "not_evaluated",
                },
            },
        },
        where={"TRTESTCD": {"in": [*SIZES, "TUMSTATE"]}, "TREVAL": INVESTIGATOR},
        must=("TRTESTCD",),
        merge=True,
    ),
    Given(
        "scans",
        "TU",
        {
            "scan_date": "TUDTC",
            "modality": Said("TUMETHOD", MODALITY.codes, "other"),
            "reader": (
                {"from": "TUEVALID", "when": [
                    {"where": {"TUEVAL": "INVESTIGATOR"}, "constant": "local"}]},
                {"from": "TUEVAL", "when": [
                    {"where": {"TUEVAL": "INVESTIGATOR"}, "constant": "local"}]},
            ),
            "new_lesion": {"constant": "extrahepatic", "when": [
                {"where": LIVER, "constant": "hepatic"}]},
        },
        where={"TUTESTCD": "TUMIDENT", "TUORRES": "NEW", "TUEVAL": INVESTIGATOR},
        must=("TUTESTCD", "TUORRES"),
        merge=True,
    ),
    _measured("LDIAM", "longest_mm"),
    _measured("DIAMETER", "longest_mm"),
    _measured("LPERP", "perpendicular_mm", says=False),
    Given(
        "measurements",
        "TR",
        {**READ, "lesion_id": "TRLNKID", "status": {"when": STATE}},
        where={
            "TRTESTCD": "TUMSTATE",
            "TRORRES": {"in": [word for _, of in STATES for word in of]},
            "TREVAL": INVESTIGATOR,
        },
        must=("TRTESTCD", "TRLNKID"),
        merge=True,
    ),
    Given(
        "labs",
        "LB",
        {
            "lab_date": "LBDTC",
            "analyte": "LBTESTCD",
            "value": ("LBORRES", "LBSTRESC"),
            "unit": ("LBORRESU", "LBSTRESU"),
            "lower_limit": ("LBORNRLO", "LBSTNRLO"),
            "upper_limit": ("LBORNRHI", "LBSTNRHI"),
        },
        where={"LBSPEC": Among("blood|serum|plasma")},
        must=("LBTESTCD",),
        if_filled=("LBORRES",),
        note="results of blood; those of urine would be other quantities under the same code",
    ),
    Given(
        "adverse_events",
        "AE",
        {
            "term": ("AEDECOD", "AETERM"),
            "onset_date": "AESTDTC",
            "end_date": "AEENDTC",
            "grade": "AETOXGR",
            "serious": "AESER",
            "related": Said(
                "AEREL",
                (
                    ("unlikely", "UNLIKELY"),
                    ("unrelated", "^(NOT|N$|NONE|UNRELATED)"),
                    ("possible", "^POSSIBL"),
                    ("probable", "^PROBABL"),
                    ("definite", "^(RELATED|DEFINITE|Y$|YES)"),
                ),
                known=("NOT RELATED", "UNLIKELY RELATED", "POSSIBLY RELATED", "RELATED"),
            ),
            "outcome": Said(
                "AEOUT",
                (
                    ("ongoing", "^(NOT RECOVERED|RECOVERING)"),
                    ("resolved", "^RECOVERED"),
                    ("fatal", "^FATAL"),
                ),
                "unknown",
                (
                    "RECOVERED/RESOLVED",
                    "RECOVERED/RESOLVED WITH SEQUELAE",
                    "RECOVERING/RESOLVING",
                    "NOT RECOVERED/NOT RESOLVED",
                    "FATAL",
                    "UNKNOWN",
                ),
            ),
        },
    ),
    _vital("WEIGHT", "weight_kg"),
    _vital("HEIGHT", "height_cm"),
    Given(
        "assessments",
        "RS",
        {"assessment_date": "RSDTC", "ecog": ("RSSTRESN", "RSORRES")},
        where={"RSTESTCD": {"in": ["ECOG1", "ECOG101"]}},
        must=("RSTESTCD",),
        merge=True,
    ),
    Given(
        "assessments",
        "QS",
        {"assessment_date": "QSDTC", "ecog": ("QSSTRESN", "QSORRES")},
        where={"QSTESTCD": {"in": ["ECOG1", "ECOG101"]}},
        must=("QSTESTCD",),
        merge=True,
    ),
    Given(
        "contacts",
        "DM",
        {"contact_date": "DTHDTC", "vital_status": {"constant": "dead"}},
        must=("DTHDTC",),
        merge=True,
        if_filled=("DTHDTC",),
    ),
    Given(
        "contacts",
        "SS",
        {
            "contact_date": "SSDTC",
            "vital_status": Said("SSORRES", (("alive", "^ALIVE"), ("dead", "^DEAD"))),
        },
        where={"SSTESTCD": "SURVSTAT", "SSORRES": "ALIVE"},
        must=("SSTESTCD", "SSORRES"),
        merge=True,
        note="who is dead is taken from DM, with the date of death",
    ),
    Given(
        "contacts",
        "SV",
        {"contact_date": "SVSTDTC", "vital_status": {"constant": "alive"}},
        merge=True,
        if_filled=("SVSTDTC",),
    ),
    Given(
        "recorded_responses",
        "RS",
        {
            "response_date": "RSDTC",
            "criterion": Said(
                "RSCAT",
                (
                    ("mRECIST", "^m-?RECIST"),
                    ("RECIST 1.1", "^RECIST 1.1"),
                    ("EASL", "^EASL"),
                    ("WHO", "^WHO"),
                ),
                "unspecified",
            ),
            "reader": {"from": "RSEVAL", "when": [
                {"where": {"RSEVAL": "INVESTIGATOR"}, "constant": "local"}]},
            "response_class": {"from": "RSORRES", "codes": CLASSES},
            "source": Said("RSEVAL", (("local", "INVESTIGATOR"), ("central", "INDEPENDENT"))),
        },
        where={"RSTESTCD": "OVRLRESP", "RSORRES": {"in": list(CLASSES)}},
        must=("RSTESTCD",),
    ),
)  # fmt: skip

SDTM = Preset(
    code="sdtm",
    label="CDISC SDTM domains, as CSV, Parquet or SAS transport files",
    source="CDISC SDTM Implementation Guide 3.4",
    patient="USUBJID",
    needed=("DM",),
    given=GIVEN,
    by_hand=(
        ByHand(
            "prior_therapies",
            "CM",
            ("CMCAT", "CMSCAT", "CMCLAS"),
            "categories are the sponsor's: which are prior treatments of the tumour, and of what "
            "class",
        ),
        ByHand(
            "subsequent_therapies",
            "CM",
            ("CMCAT", "CMSCAT", "CMCLAS"),
            "which are treatments of the tumour begun after 90Y, and of what class",
        ),
        ByHand(
            "prior_therapies",
            "PR",
            ("PRCAT", "PRTRT"),
            "which procedures treated the tumour before 90Y, and of what class",
        ),
        ByHand(
            "medications",
            "CM",
            ("CMINDC",),
            "which were given for the reasons that `purpose` lists",
        ),
        ByHand(
            "contacts",
            "DD",
            ("DDTESTCD", "DDORRES"),
            "which causes of death are the tumour, liver failure or treatment",
        ),
        ByHand(
            "adverse_events", "AE", (), "`ctcae_version`: it stands in define.xml, not here"
        ),
        ByHand(
            "patients",
            "SUPPDM",
            ("QNAM",),
            "what stands in qualifiers of the sponsor's: primary site, grade, Ki-67, extent "
            'outside the liver. `{ from = "QVAL", file = "...", on = ["USUBJID"], '
            'among = { QNAM = "..." } }` takes one of them',
        ),
    ),
    cannot=(
        ("scans.arterial_phase", "TR has no phase: EASL and mRECIST are not evaluable without"),
        ("measurements.enhancing_longest_mm", "no code of TRTESTCD is the enhancing diameter"),
        ("treatments.target_volume_ml", "volumes and doses of the target have no variable in EX"),
        ("treatments.lung_shunt_fraction", "the lung shunt has no variable in EX"),
        ("mappings", "the 99mTc-MAA scan has no domain of its own"),
        ("patients.liver_metastases", "IE lists criteria that were not met, by own codes"),
        ("assessments.tumour_burden_pct", "no code of TRTESTCD is the share of the liver"),
        ("lesions.merged_into", "TU records merged and split tumours by own ways"),
    ),
    keys={
        "date_format": "%Y-%m-%d",
        "zero_mm": "absent",
        "ignored_columns": (
            *("STUDYID", "DOMAIN", "SUBJID", "SITEID"),
            *(f"{domain}SEQ" for domain in DOMAINS if domain != "EX"),
            *(f"{domain}TEST" for domain in ("TU", "TR", "RS", "LB", "VS", "SS", "QS")),
        ),
    },
    optional=frozenset({"RSEVAL"}),
)  # fmt: skip
