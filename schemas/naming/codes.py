"""What centres write for our codes, as `schemas.naming.concepts` writes words.

A label means the code whose words it holds; several words of one code that must stand together are
joined by `&`. A label that holds words of two codes means neither.
"""

from collections.abc import Mapping

YES = (
    "yes y ja j si s sim oui o true t vero wahr vrai verdadero x positive positiv* vorhanden "
    "present*"
)
NO = "no n nein non nao nee false f falso falsch faux negative negativ* keine"

THERAPY = {
    "surgery": "*hepatekt* *ektomie surg* op chir* cir cirug* resek* resec* resez* operat* "
    "operac* hepatekt* hepatect* heelk* transplant* metastasect* intervento ope",
    "liver_directed": "tace tae *tace* embol* *embol* *emboli* ablat* ablac* ablaz* abla* rfa rf "
    "radiofreq* radiofrec* *ablaz* *ablation termoabl* thermoabl* mwa microond* mikrow* cel "
    "chemoembol* quimioembol* chimioembol* chemioembol* hai *direct* lokoregion* locoreg* "
    "lokal* loco* sirt tare transart* intraarter* ire kryo*",
    "somatostatin_analogue": "ssa ass ssas sst somato* *somato* octreot* lanreot* sandostat* "
    "somatul* analog* bioterap* biother*",
    "chemotherapy": "chem* chimio* chimiot* quimio* quim* cht ctx ct capeci* capox folfox "
    "strepto* stz temo* captem dacarb* 5fu cisplat* carboplat* cytotox* chemo*",
    "targeted": "target* zielger* mtor* *mtor* everol* sunit* tki* *tki* cible* ciblee* diana "
    "dirigid* mirat* biolog* bevaci* molekular* molecul* pazop* cabozant* tyrosin* doelger*",
    "prrt": "prrnt prrt *prrt* riv lutec* luteti* lu177 177lu lu lutath* radiolig* radiorec* "
    "radiorez* *dotat* dotatoc y90-dotatoc peptid* nuklid* pept* radionuc* radiometab* "
    "lutetium* lut",
    "radiotherapy": "rt radioth* *radioth* radiotherap* bestrahl* strahl* *strahl* ebrt external* "
    "sbrt radioterap* irrad* stereot* bestral* radiother*",
    "other": "other* sonst* ander* autr* altr* otr* outr* overig* interfer* ifn* immun* misc* "
    "divers*",
    "transplant": "transplant* ltx trapiant* trasplant* greffe* *transpl*",
}

CODES: Mapping[str, Mapping[str, str]] = {
    "patients.sex": {
        "female": "f w v female* weib* fem* femme* femin* femm* mujer* donna frau* vrouw* mulher "
        "woman femen*",
        "male": "m male* mann* masc* homme* hombre* uomo man mas* maennl* mens masch* h homem",
        "unknown": "unknown* unb* inconnu* ignot* desc* onbek* nonnot*",
    },
    "patients.primary_site": {
        "pancreas": "panc* pank* *pank* *panc* bauchspeichel* alvleesk*",
        "small_bowel": "*dunndarm* ile* *ileum* jejun* diguin* digiun* duoden* grele* grel* "
        "delgad* small* bowel dunn* tenue midgut mitteldarm* dundarm* yeyun* jejuno dunne "
        "intestin*&tenue si intestino&delgado zwolffing*",
        "colorectal": "colo* kolo* *rectum rect* rekt* *rektum *colon* sigm* kolorek* col retto* "
        "colon* caecum* coec* zok* cec* dickdarm* hindgut* append* appen*",
        "gastric": "gastr* magen* stom* estom* maag* estomac stomac* ventric*",
        "lung": "lung* bronch* pulm* polm* poumon* bronc* thym* long* *lunge",
        "other": "other* andere* sonst* autr* altr* otr* outr* ovar* nier* renal* kidney* rene "
        "rein* prostat* overig* thymus*",
        "unknown": "unknown* unbek* inconnu* ignot* desc* cup cup* sconosc* unclear* unklar* "
        "onbek* occult* okkult* incert* indeterm* primitif_inconnu non&noto non&nota npi",
    },
    "patients.tumour_grade": {
        "G1": "g1 *g1 1 i low* bas* niedrig* bajo* gut grad1 grade1 laag",
        "G2": "g2 *g2 2 ii interm* medio mittel* moder* massig* grad2 grade2 intermed*",
        "G3": "g3 *g3 3 iii high* alt* hoch* haut* schlecht* grad3 grade3 hoog",
        "NEC": "nec *nec* cne carcinom* karzinom* undiff* nek",
        "unknown": "unknown* unbek* inconn* ignot* desc* gx onbek* non&noto nn",
    },
    "patients.extrahepatic_disease": {
        "none": "none no non nein kein* keine* assen* ausent* absen* aucun* nessun* ning* geen* "
        "nulla absent* 0 n nee nao sin",
        "minimal": "minim* gering* min limit* limitat* escas* wenig* few mild* leicht* leve lieve "
        "poca* oligo* peu weinig begrenzt* discret* moder*",
        "significant": "etend* signif* ausgepr* est* estes* import* extens* viel* mult* severe* "
        "marked* ausged* erheb* uitgebr* major majeur* diffus* extend* signifik*",
        "unknown": "unknown* unbek* inconn* ignot* desc* onbek* non&noto",
    },
    "prior_therapies.therapy_class": {k: v for k, v in THERAPY.items() if k != "transplant"},
    "subsequent_therapies.therapy_class": THERAPY,
    "medications.purpose": {
        "continuing": "contin* cronic* chron* dauer* croni* habit* base* permanent* dauermed* "
        "onderh*",
        "prophylaxis": "profil* proph* preven* vorbeug* profylax*",
        "concurrent": "concur* concom* begleit* gleichz* simult* gelijkt* parallel*",
        "anticoagulation": "anticoag* antikoag* blutverd* stolling*",
        "other": "other* sonst* altr* autr* otr* ander* bedarf* bisogno* besoin* anderes outr* "
        "overig* prn",
    },
    "assessments.ascites": {
        "none": "none no non nein kein* assen* absen* ausen* aucun* nessun* ning* geen* absent* "
        "nee 0 sin",
        "slight": "small* slight* mild* wenig* leicht* gering* minim* liev* lev* leger* legere* "
        "poca* 1 weinig lichte mod&lev few trace* discret* gradi grad1",
        "moderate_severe": "moder* sever* viel* gross* ausgep* grav* massiv* massig* mittel* "
        "schwer* tens* ernst* import* abond* 2 mittelgr* refract* refrakt* matig*",
    },
    "assessments.symptom_change": {
        "improved": "improv* gebess* bess* miglior* mejor* amelior* verbet* better melhor*",
        "unchanged": "unchang* unverand* gleich* invari* inchang* stab* igual* ongewij* "
        "sin&cambios same estab* inalter*",
        "worse": "wors* schlecht* verschl* pegg* empeor* aggrav* deterior* versleg* pior* peor*",
        "unknown": "unknown* unbek* inconn* ignot* desc* onbek* non&noto nicht&bekannt",
    },
    "mappings.lung_shunt_method": {
        "planar": "planar* plan planaire* planare* 2d szinti*",
        "spect_ct": "spect* temp* 3d tomo* spet* *spect*",
    },
    "mappings.gi_shunt": {
        "none": "none no non nein kein* assen* absen* ausen* aucun* nessun* absent* nee geen* 0 "
        "ningun*",
        "corrected": "correct* korrig* correg* corret* gecoilt coil* corrig* emboli* gecorr* "
        "behob* besei*",
        "uncorrectable": "uncorr* not&corr* unkorr* nicht&korr* non&corr* no&correg* non&corrig* "
        "incorr* niet&corr* persist* unbeh*",
        "unknown": "unknown* unbek* inconn* ignot* desc* onbek* non&noto",
    },
    "treatments.device": {
        "glass": "glass* glas* verre* vetro* vidri* *glas therasph* thera *therasphere* vidro "
        "bosto* btg ts",
        "resin": "resin* harz* kunstharz* resine* resina* sir sirsph* *harz sirtex *spheres hars",
    },
    "treatments.lobe": {
        "right": "right* recht* re r droit* dx destr* der derech* d rhl lhd dch dcho rl direit* "
        "rlobe hfd rla rechter",
        "left": "left* link* li l gauch* sx sin sinis* izq* g lhi lhl ll esq* llobe fg hfg linker "
        "i",
        "whole": "whole* gesamt* total* tout* tutt* intero ganz* both* beid* bilob* bilat* "
        "entier* todo* bi ambos entir* hele w b t g_total ambed* entram* beide volled* complet* "
        "compl* wl",
        "unknown": "unknown* unbek* inconn* ignot* desc*",
    },
    "lesions.lobe": {
        "right": "right* recht* re r droit* dx destr* der derech* d rhl lhd dch rl rechter",
        "left": "left* link* li l gauch* sx sin sinis* izq* g lhi lhl ll linker i",
        "caudate": "caud* kaud* cauda* c s1 sptl*",
    },
    "lesions.organ": {
        "liver": "liver* leber* foie fegato higado hepat* epat* lever",
        "node": "node* knoten* lymph* ganglio* linfon* adenop* lk ln",
        "other": "other* ander* autr* altr* otr* sonst* knochen* bone* lung*",
    },
    "scans.modality": {
        "CT": "ct tc tac tdm scanner* *ct comput* kt mdct cct pet/ct tomodens*",
        "MRI": "mri mrt mr irm rm rmn magnet* kernsp* nmr *mrt",
        "other": "other* autr* altr* otr* sonst* pet* us sono* eco* ander* ecogr* ultra* echo*",
    },
    "scans.new_lesion": {
        "none": "none no non nein kein* nessun* ning* aucun* n nee geen* assent* ausen* absent* 0 "
        "neg*",
        "hepatic": "hepat* leber* foie fegato epat* higad* liver* intrahep* lever intra* "
        "*hepatisch",
        "extrahepatic": "extra* ausser* fuera* ausserh* hors* fuori* extrahep* extraepat* buiten*",
        "both": "hepat*&extrahep* both* beid* amb* entram* deux* todas tutt* beide* ambas",
    },
    "scans.non_target": {
        "complete_response": "cr complete* komplett* rc complet* verschwund* scompars* disapp*",
        "non_cr_non_pd": "stab* estab* sd non-cr* noncr* stabil* unverand* invari* persist* "
        "inchang*",
        "progression": "pd prog* progr* fortschr* pe",
        "not_evaluated": "ne not&eval* non&val* nicht&beurt* nicht&bew* non&eval* no&eval* na",
        "none": "none kein* assen* aucun* absent* ning* nessun* geen* ausen*",
    },
    "measurements.status": {
        "measured": "meas* gemess* mis* misur* med* mesur* messbar* gemet* eval* valutab* ok "
        "medid*",
        "too_small": "small* klein* picc* petit* peque* tsm klein te&klein pequen*",
        "absent": "absent* verschw* scomp* disap* dispar* ausen* desap* assen* nicht&mehr gone "
        "verdwen* weg cr",
        "not_evaluable": "not&eval* ne non&val* nicht&beurt* nicht&bew* non&eval* no&eval* "
        "nicht&ausw* non&mis* nicht&mess* niet&eval* unbeurt*",
        "not_imaged": "not&imag* non&imag* nicht&unters* non&acq* not&scan* nicht&abgeb* no&incl* "
        "non&vis*",
    },
    "adverse_events.related": {
        "unrelated": "unrel* non&li* kein* no non nicht* exclu* non&corr* keiner no&rel* not&rel* "
        "nessun* aucun* none nein geen* ning* ausgeschl* niet&ger* independ* nonrel*",
        "unlikely": "unlik* peu&prob* unwahr* improb* impr* poco&prob* onwaar* dubb* dudos* "
        "doubt* douteux*",
        "possible": "poss* mogl* posib* moeg* mogel* moglich*",
        "probable": "prob* wahrsch* waarsch* likely",
        "definite": "defin* sicher* cert* segur* gesich* zeker* sicuro* certain* related eindeut*",
        "unknown": "unknown* unbek* inconn* ignot* desc* onbek* non&noto nicht&beurt*",
    },
    "adverse_events.outcome": {
        "resolved": "wiederh* ruckl* resol* abgekl* risol* gueri* recup* geheilt* recover* "
        "guarit* gu opgel* hersteld* erholt* behob* resuel* curad*",
        "ongoing": "not&recov* anhalt* ongoing* andau* persist* en&cours in&corso en&curso "
        "aanhoud* continu* fortbest* not&res* nicht&abg* non&ris* activ* cours corso curso "
        "voortd*",
        "fatal": "fatal* todl* mort* deces* letal* exit* dead* dod* death* deced* overl* muert* "
        "obito fallec* tod gestorb*",
        "unknown": "unknown* unbek* inconn* ignot* desc* onbek* non&noto",
    },
    "contacts.contact_type": {
        "visit": "visit* ambul* consul* klinik* sprech* vorst* visita praesenz* stat* prasenz* "
        "poli* presen* control* konsult* bezoek* onsite outpat* clinic*",
        "phone": "phone* tele* anruf* *telef* llamad* chiamat* appel* call* bel telef*",
        "registry": "regist* *melde* melde* anagraf* etat&civil civil* standesamt* register* "
        "krebsreg* *register amt comune padron* civile bevolk* insee indef",
        "death": "death* tod* deces* exit* dec* mort* died verst* deced* overl* falec* muert* "
        "obito* sterbe* fallec*",
    },
    "contacts.vital_status": {
        "alive": "alive* leb* viv* levend* vif en&vie living lebt vita al",
        "dead": "dead* verst* deced* mort* exit* dood* dece* gestorb* tot died deceas* falec* "
        "muert* overl* fallec* todes*",
    },
    "contacts.cause_of_death": {
        "tumour": "pd tumor* neopl* progr* krebs* cancer* tumeur* onco* disease* malatt* grundl* "
        "*progr* tumoral* enfermed* mald* malad* grunderkr*",
        "liver_failure": "leberv* insuf*&hep* insuf*&epat* hepat*&fail* liver* leber* hep* "
        "insuff*&hep* insuff*&epat* lever* reild rild insuf*",
        "treatment": "treat* behandl* therap* trait* tratt* trat* toxi* *bedingt compl* tox* "
        "interv* sirt",
        "other": "other* herz* ander* sonst* autr* altr* otr* interk* non&tum* kardi* card* outr* "
        "overig*",
        "unknown": "unknown* unbek* unkl* inconn* ignot* desc* onbek* non&not* non&nota incert* "
        "niet&bek*",
    },
    "recorded_responses.response_class": {
        "CR": "cr rc complete* komplett* complet*",
        "PR": "pr rp part* parz*",
        "SD": "sd ee stab* stabil* ms estab*",
        "PD": "pd pe prog* mp progr*",
        "NE": "ne nv not&eval* na nicht&beurt* no&eval*",
    },
    "recorded_responses.criterion": {
        "RECIST_1_1": "recist* recist1.1 recist11",
        "mRECIST": "mrecist*",
        "WHO": "who oms",
        "EASL": "easl*",
    },
}
"""Column -> our code -> the words that mean it."""

PRIOR = (
    "pre vor vorther* vorbeh* atcd pretrait* pretratt* prima avant antes before prior previ* "
    "pra prae voor anteced* vorher* baseline"
)
LATER = (
    "later post depois folgeth* nachther* weiterbeh* nach dopo apres despues after subsequ* na "
    "folge* success* follow* danach suivant*"
)
"""Words by which rows of therapies before and after are told apart."""

NEGATIONS_WORDS = "not non nicht niet nao sans senza sin without ohne"
NEGATIONS = frozenset(NEGATIONS_WORDS.split())
"""Before a word these make another of it, so that such words must be listed together."""
ROMAN: Mapping[str, int] = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
MISSING_WORDS = (
    "k.a. n.d. nd n.m. n/a na n.a. nc np n.p. n.e. ne s/d nm unk ? - -- . nr n.r. nb n.b. null "
    "s.d. nsp dk -999 -99 -9 -1 999 9999 missing fehlt manquant"
)
MISSING = frozenset(MISSING_WORDS.split())
"""What stands in a column of numbers or days for nothing."""

LABORATORY: Mapping[str, str] = {
    "bilirubin": "bili* tbil* bt biltot*",
    "albumin": "alb* albumin*",
    "ast": "ast asat got sgot *asat tgo",
    "alt": "alt alat gpt sgpt tgp",
    "alp": "ap alp pal fa alkphos* alk* fosfatas* phosphatas* fosf* aph alkp af",
    "ggt": "ggt *ggt* gammagt gamma* gt yggt",
    "inr": "inr *inr*",
    "creatinine": "crea* krea* creat* kreat* cr scr",
    "haemoglobin": "hb hgb haemoglob* hamoglob* hemoglob* emoglob* hamo* hemo* emo*",
    "wbc": "wbc leuk* leuc* gb white* gbl wcc leukozyt* glob*&bian* glob*&blan* leco* glob*&blanc*",
    "neutrophils": "neut* pnn neutr* anc polynuc* gran* neutrof*",
    "lymphocytes": "lymph* linf* lymf* lym alc",
    "platelets": "plt plaq* piastr* throm* tromb* plaqu* platel* plat thr blutplat*",
}
"""Analyte -> words of its column's name, beside the names on its record."""

TYPICAL: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "bilirubin": {"mg/dL": (0.2, 2.6), "umol/L": (5, 45)},
    "albumin": {"g/dL": (2, 5.5), "g/L": (20, 55)},
    "ast": {"U/L": (8, 400)},
    "alt": {"U/L": (8, 400)},
    "alp": {"U/L": (30, 900)},
    "ggt": {"U/L": (8, 1500)},
    "inr": {"1": (0.7, 2)},
    "creatinine": {"mg/dL": (0.4, 2.5), "umol/L": (35, 220)},
    "haemoglobin": {"g/dL": (9.5, 17), "g/L": (80, 170), "mmol/L": (4.5, 9.4)},
    "wbc": {"10*9/L": (1.5, 20), "/uL": (1500, 20000)},
    "neutrophils": {"10*9/L": (0.8, 15), "/uL": (800, 15000)},
    "lymphocytes": {"10*9/L": (0.2, 5), "/uL": (200, 5000)},
    "platelets": {"10*9/L": (40, 600), "/uL": (40000, 600000)},
}
"""Analyte -> unit -> between what the median of a treated cohort lies. The ranges do not meet, so
that a median lies in one unit's or in none's; they are the registry's decision."""
