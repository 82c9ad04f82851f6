"""The concepts that name our tables and columns.

A column is named by all concepts of one alternative; alternatives are parted by `|`. What stands
after `+` may be said besides, and is no reason to doubt. Every other known concept in a name is.
"""

from collections.abc import Mapping

TABLES: Mapping[str, str] = {
    "patients": "patient* *patient paz* paciente* pazient* stammdat* demogr* anagraf* basal* "
    "baseline* identif* inclus* einschl* person* anamn* cohort* kohorte* inclusion filiacion "
    "registro enroll* erfass* basis* basisdat* grunddat* subjects dm demografi*",
    "prior_therapies": "vorther* vorbeh* prior* previous* anteced* atcd previ* pregres* anamnes* "
    "voorgaand* precedent* vortherapie* antecedent* pretreat* pretratt*",
    "subsequent_therapies": "subsequent* folgeth* nachther* weiterbeh* success* posterior* post* "
    "suivant* ulterior* nachbeh* further* folge*",
    "medications": "medic* medik* farmac* drug* conmed* begleitmed* praparat* cm arznei* geneesm* "
    "traitements_concomitants begleit* komed*",
    "assessments": "assess* visit* visite* untersuchung klin* clini* verlauf* exam* status* ecog* "
    "vorstell* ambul* consult* basal* revis* performance inclus* identif* controls baseline*",
    "mappings": "mapping* angio* *angio work* workup* maa* *maa simul* evaluat* bilan* arteriogr* "
    "planung* prep* shunt* planif* lsf probeangio* test*",
    "treatments": "treat* sirt* tare* therap* behandl* trait* tratt* trata* radioemb* y90* "
    "session* sitzung* seance* sedut* dosim* intervent* prozed* procedur* proced* sess* rebe "
    "administ* sesion*",
    "lesions": "lesion* lasion* laesion* *lasionen tumor* herd* nodul* zielherd* foyer* target*",
    "scans": "scan* imag* bild* img radiolog* exam* ct mri* mrt* *bildgebung verlaufsbild* "
    "staging* tomogr* response* befund* untersuch* follow*",
    "measurements": "measur* mess* misur* medid* mesur* diam* lasion* lesion* recist* *messung* "
    "imag* bild* img* tumor* response* target*",
    "labs": "lab* *labor labor* biolog* esam* anal* blut* blood* bio* sang* chem* hemat* bloed* "
    "lb laborwert* prelievi* result*",
    "adverse_events": "adverse* ae aes nw nebenw* ea ei event* even* toxi* sae avvers* advers* "
    "indes* segur* safety* complic* komplik* unerw* ue bijw* ades* saf* sicherh* sicur*",
    "contacts": "contact* kontakt* follow* fu suivi seguim* verlauf* status* nachsorge* fin* "
    "surviv* uberl* end* vital* derni* deces* visit* death* outcome* followup* exit* abschluss* "
    "sopravv*",
    "recorded_responses": "resp* anspr* risp* antwort* reponse* recist*",
    "reported_endpoints": "endpoint* surviv* uberl* os pfs time* endpunkt* km",
}
"""Table -> the words of which names of its sheets, files and forms are made."""

CONTEXT: Mapping[str, str] = {
    "patients": "patient tumour disease diagnosis baseline before",
    "prior_therapies": "before therapy event",
    "subsequent_therapies": "after therapy event",
    "medications": "drug therapy",
    "assessments": "visit before",
    "mappings": "angiography maa",
    "treatments": "treatment session",
    "lesions": "lesion",
    "scans": "scan imaging before",
    "measurements": "lesion scan imaging recist before",
    "labs": "draw before",
    "adverse_events": "event",
    "contacts": "contact visit",
    "recorded_responses": "response scan",
    "reported_endpoints": "",
}
"""Table -> concepts that may always be said on it."""

COLUMNS: Mapping[str, str] = {
    "patients.sex": "sex + birth patient",
    "patients.birth_year": "birth | birth year + date",
    "patients.diagnosis_date": "diagnosis + begin date disease proven year",
    "patients.primary_site": "primary | primary site | tumour site | site + disease origin",
    "patients.tumour_grade": "grade + tumour class sum proven primary",
    "patients.ki67_pct": "ki + index value primary",
    "patients.functioning": "functioning | carcinoid functioning + tumour state symptoms",
    "patients.extrahepatic_disease": "extrahepatic + state status disease liver metastasis burden",
    "patients.liver_metastases": "liver metastasis + proven disease",
    "patients.unresectable": "unresectable | not resectable + liver disease metastasis tumour",
    "patients.refractory_to_systemic": "refractory + systemic therapy disease",
    "patients.progression_confirmed": "progression before | progression proven | progression "
    "imaging | progression | imaging proven progression + treatment before imaging proven "
    "disease",
    "patients.organ_function_adequate": "organfunction adequate + functioning liver",
    "prior_therapies.therapy_class": "therapy class | therapy | class | therapy name + before",
    "prior_therapies.start_date": "begin | begin date | therapy date | date + therapy",
    "prior_therapies.stop_date": "end | end date + therapy",
    "subsequent_therapies.therapy_class": "therapy class | therapy | class | therapy name + after",
    "subsequent_therapies.start_date": "begin | begin date | therapy date | date + therapy after",
    "medications.drug": "drug | drug name | name",
    "medications.purpose": "purpose + drug",
    "medications.dose": "dose + drug value",
    "medications.dose_unit": "unit dose | unit",
    "medications.route": "route + drug administered",
    "medications.start_date": "begin | begin date + drug",
    "medications.stop_date": "end | end date + drug",
    "assessments.assessment_date": "date visit | date | visit + performance",
    "assessments.ecog": "performance | performance state + general patient",
    "assessments.weight_kg": "weight + body patient",
    "assessments.height_cm": "height + body patient",
    "assessments.ascites": "ascites + grade",
    "assessments.encephalopathy_grade": "encephalopathy + grade liver",
    "assessments.tumour_burden_pct": "burden | burden tumour | burden liver + tumour liver "
    "percent relative metastasis disease",
    "assessments.tumour_burden_category": "burden | burden tumour | burden liver + tumour liver "
    "class relative metastasis disease",
    "assessments.carcinoid_symptoms": "carcinoid | carcinoid symptoms | carcinoid functioning + "
    "symptoms functioning",
    "assessments.symptom_change": "symptoms | symptoms change + change",
    "assessments.biliary_obstruction": "biliary obstruction | obstruction",
    "mappings.mapping_date": "angiography | angiography date + planned before visit",
    "mappings.maa_date": "maa | maa date + scan imaging",
    "mappings.lung_shunt_fraction": "shunt | shunt lung | lung fraction + liver lung fraction "
    "relative",
    "mappings.lung_shunt_method": "method shunt | method | method lung + shunt lung",
    "mappings.gi_shunt": "gastrointestinal shunt | gastrointestinal leak | leak gastrointestinal "
    "+ liver",
    "mappings.vessels_embolised": "embolised | embolised vessels + vessels gastrointestinal whole",
    "mappings.planned_lung_dose_gy": "planned lung dose",
    "treatments.session_id": "session | session identifier | treatment identifier | session "
    "sequence + identifier sequence",
    "treatments.target_id": "target | target identifier + identifier sequence",
    "treatments.treatment_date": "date treatment | treatment | date session | date administered | "
    "date",
    "treatments.device": "device | device class + class kind name treatment",
    "treatments.lobe": "lobe + target liver perfused treatment",
    "treatments.segments": "segment + target perfused treatment liver",
    "treatments.target_volume_ml": "volume target | volume perfused | volume + target perfused "
    "liver lobe",
    "treatments.target_mass_kg": "mass target | mass perfused | mass + target perfused liver lobe",
    "treatments.tumour_volume_ml": "tumour volume + target lesion",
    "treatments.activity_calibrated_gbq": "activity calibration + device",
    "treatments.calibrated_at": "calibration | calibration time | calibration date + time date",
    "treatments.activity_administered_gbq": "activity administered | activity + administered "
    "treatment",
    "treatments.administered_at": "administered | administered time | administered date | "
    "treatment time + time date",
    "treatments.residual_fraction": "residual | residual activity | residual fraction + activity "
    "fraction relative",
    "treatments.lung_shunt_fraction": "shunt | shunt lung + lung fraction relative liver",
    "treatments.dose_gy": "dose | dose target | dose perfused + target perfused liver lobe volume",
    "treatments.activity_planned_gbq": "activity planned + target",
    "treatments.tumour_to_normal_ratio": "tumour normal fraction",
    "treatments.tumour_dose_gy": "tumour dose | lesion dose + target",
    "treatments.normal_liver_dose_gy": "normal dose | normal liver dose + liver",
    "treatments.liver_volume_ml": "whole liver volume | liver volume + whole",
    "treatments.normal_liver_volume_ml": "normal liver volume + liver",
    "treatments.lung_dose_gy": "lung dose + treatment",
    "treatments.delivery": "delivery | delivery complete + target treatment",
    "lesions.lesion_id": "lesion | lesion identifier | lesion sequence | lesion name + identifier "
    "sequence name",
    "lesions.organ": "site",
    "lesions.lobe": "lobe + liver lesion",
    "lesions.segment": "segment + liver lesion",
    "lesions.index_lesion": "index lesion",
    "lesions.recist_target": "target | recist marked | recist target | marked lesion | target "
    "lesion + recist lesion marked target",
    "scans.scan_date": "date scan | scan | date imaging | date",
    "scans.modality": "modality | scan modality + kind class",
    "scans.reader": "reader",
    "scans.arterial_phase": "arterial phase | arterial + phase",
    "scans.new_lesion": "new lesion | new + lesion",
    "scans.non_target": "nontarget | nontarget disease | not target disease | not target lesion + "
    "disease lesion not target status",
    "scans.evaluable": "evaluable + scan",
    "measurements.lesion_id": "lesion | lesion identifier | lesion sequence | lesion name + "
    "identifier sequence name",
    "measurements.scan_date": "date scan | scan | date imaging | date",
    "measurements.modality": "modality | scan modality + kind class",
    "measurements.reader": "reader",
    "measurements.longest_mm": "longest | longest axis + axis lesion target",
    "measurements.perpendicular_mm": "perpendicular | perpendicular axis + axis lesion target",
    "measurements.enhancing_longest_mm": "enhancing | enhancing longest | enhancing axis + axis "
    "longest lesion recist tumour fraction",
    "measurements.enhancing_perpendicular_mm": "enhancing perpendicular + axis lesion",
    "measurements.necrosis_pct": "necrosis + relative lesion",
    "measurements.status": "status + lesion",
    "labs.lab_date": "draw | draw date | date",
    "labs.analyte": "analyte + draw name",
    "labs.lab_time": "time | draw time",
    "labs.value": "value + draw analyte",
    "labs.unit": "unit + draw analyte value",
    "labs.lower_limit": "lower | lower limit + value limit",
    "labs.upper_limit": "upper | upper limit + value limit",
    "adverse_events.term": "event term | event | term + event class ctcae",
    "adverse_events.onset_date": "begin | begin date | event date | date + event",
    "adverse_events.end_date": "end | end date + event",
    "adverse_events.grade": "grade | ctcae grade | ctcae + event ctcae version serious",
    "adverse_events.ctcae_version": "version | version ctcae + ctcae",
    "adverse_events.related": "related | related treatment + treatment device event",
    "adverse_events.serious": "serious | serious event + event",
    "adverse_events.procedure": "procedure + event",
    "adverse_events.outcome": "outcome + event",
    "contacts.contact_date": "contact date | last contact | last date | contact | date | death "
    "date + last visit death date vital state",
    "contacts.contact_type": "kind contact | kind | contact kind + contact visit last",
    "contacts.vital_status": "vital | vital state | state + last state patient contact",
    "contacts.cause_of_death": "cause death | cause + death",
    "recorded_responses.response_date": "response date | date scan | date",
    "recorded_responses.criterion": "criterion | response criterion",
    "recorded_responses.response_class": "response | response overall + overall recist class",
    "recorded_responses.reader": "reader",
}
"""Column -> the alternatives of what it is called."""

TELLING: Mapping[str, str] = {
    "patients": "sex birth_year diagnosis_date primary_site tumour_grade ki67_pct functioning "
    "extrahepatic_disease liver_metastases unresectable refractory_to_systemic "
    "progression_confirmed organ_function_adequate",
    "prior_therapies": "therapy_class",
    "subsequent_therapies": "therapy_class",
    "medications": "drug purpose route",
    "assessments": "ecog weight_kg height_cm ascites encephalopathy_grade tumour_burden_pct "
    "tumour_burden_category carcinoid_symptoms symptom_change biliary_obstruction",
    "mappings": "maa_date lung_shunt_fraction lung_shunt_method gi_shunt vessels_embolised "
    "planned_lung_dose_gy",
    "treatments": "device target_volume_ml target_mass_kg tumour_volume_ml "
    "activity_calibrated_gbq calibrated_at activity_administered_gbq administered_at "
    "residual_fraction dose_gy activity_planned_gbq tumour_to_normal_ratio tumour_dose_gy "
    "normal_liver_dose_gy liver_volume_ml normal_liver_volume_ml lung_dose_gy "
    "lung_shunt_fraction",
    "lesions": "lobe segment recist_target index_lesion",
    "scans": "arterial_phase new_lesion non_target evaluable",
    "measurements": "longest_mm perpendicular_mm enhancing_longest_mm enhancing_perpendicular_mm "
    "necrosis_pct",
    "labs": "analyte value unit",
    "adverse_events": "term grade ctcae_version related serious outcome",
    "contacts": "contact_type vital_status cause_of_death",
    "recorded_responses": "response_class",
}
"""Table -> the columns that tell it from others."""

SHARED_WORDS = (
    "patient_id assessment_date contact_date scan_date lesion_id modality reader lab_date "
    "response_date"
)
SHARED = frozenset(SHARED_WORDS.split())
"""Columns that several tables may have from one field."""
