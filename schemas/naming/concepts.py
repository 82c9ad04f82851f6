"""The words of which names are made, by what they mean, in seven languages.

A word is written without case and accents. `word` is the word itself, `word*` its beginning,
`*word` its end, and `*word*` any part of a compound. The languages are English, German, French,
Italian, Spanish, Dutch and Portuguese, with the abbreviations of clinicians.
"""

from collections.abc import Mapping

CONCEPTS: Mapping[str, str] = {
    "date": "date* *date datum* *datum data fecha* dt dat tag giorno dia jour day quando",
    "time": "*zeit time *time uhrzeit heure hora ora zeit hour zeitpunkt *zeitpunkt tijd tijdstip "
    "horario",
    "year": "year jahr *jahr annee ano anno yob jahrgang jaar",
    "age": "age alter edad eta idade leeftijd *alter",
    "birth": "birth* *birth* nac nato nata geburt* geb gebdat* gebjahr* naiss* ddn dob nasc* "
    "nacim* yob born fnac dn geboort*",
    "diagnosis": "diag* *diag* dx dg ed erstdiagnose ded",
    "patient": "usubj* ptid ipp nip nhc mrn dossier* historia* akte* cartella* fiche pat pat* "
    "patient* paz* paciente* subj* subject proband* pid pz sujet* participant*",
    "identifier": "id ids *id nr no num numero nummer *nummer code codice cod cod* codigo kennung "
    "ident* n number key record record* study estudio studio pseudonym* inclusion fall* case",
    "sequence": "seq* lfd lfdnr laufend* reihenfolge linea ligne line linie ordre order rang rank "
    "orden instance ordnung zahl nr number num numero n no",
    "sex": "sex* gender* geschl* sesso genre geslacht genere sexo",
    "primary": "prim primar* *primar* primit* origen origine origin origem site_prim ptu primaire",
    "site": "loc lok site* sitz sede siege loca* lok* localis* lokal* organ* zona",
    "grade": "grad* *grad grade* grado* grading g who oms differenz*",
    "ki": "ki ki67* mib* prolif* ki67",
    "index": "index indice indx rate",
    "functioning": "function secern* functional* functioning funktionell* hormon* secret* sekret* "
    "funzion* funcionante* sezern* fonctionn* syndrom* func funktion* sindr* functie* "
    "functioneel funct",
    "extrahepatic": "extra* *extrahep* ehd eh extrahep* extraepat* extraleb*",
    "disease": "disease* mal maladie* malatt* krankheit* enf enferm* doenca ziekte morbus "
    "erkrank* tumorlast befall *befall manifest* localizac*",
    "liver": "liver* hepat* leber* foie fegato epat* higado hep lever figado *hepat* *leber",
    "metastasis": "metast* *metast* mets met meta filiae nelm",
    "proven": "proven prouv* gesich* nachgew* docum* dokum* conferm* confirm* bestat* histol* "
    "patholog* bewies* bewez*",
    "unresectable": "inop unres* irres* inoper* nonres* nonop* irresec* inresec* nichtres* unoper*",
    "resectable": "resec* resek* resez* operab* oper",
    "not": "not non nicht no nicht- niet nao",
    "refractory": "refrac* refrakt* refratt* resist* therapieref* versag* chemorefr*",
    "systemic": "system* sistem*",
    "progression": "prog progr* *progress* pd fortschr*",
    "before": "before pre prior vor vorher previa previo previ* avant prima anterior* anteced* "
    "vorang* bisher* zuvor earlier precedent* antes pregres* vorbehandl* vortherap* voorgaand* "
    "bl baseline",
    "after": "after post nach danach dopo apres despues success* subsequ* folge* weitere* "
    "ulterior* following posterior* nachfolg* suivant* suites depois vervolg* secondlin* "
    "nachbehandl*",
    "imaging": "imag* bild* img radiolog* radiogr* morphol* imm rx scan* *scan beeld* imagen* "
    "imagem",
    "organfunction": "organfunkt* organf* organfunc* organ* renal* nier* haemat* hematol* funcion "
    "func function* funktion* funzion* fonction*",
    "adequate": "adequat* adaequat* ausreich* ok suffis* suffic* within erhalt* normal* conserv* "
    "goed",
    "therapy": "therap* *therapie *therapy terap* behandl* *behandlung treat* trait* tratt* trat* "
    "tto ther tx rx *therapien",
    "class": "class* klasse *klasse *art art tipo type typ kategor* categor* kind *klasse* "
    "regimen modalit* gruppe clase",
    "begin": "du start* *start begin* beginn* *beginn debut* inizio inicio von from since seit "
    "onset auft* dal dès desde depuis first erst* aufgetr* ini deb startdat* insorg* apparition "
    "aparicion",
    "end": "au resol* risol* end* ende *ende fin fine fin* bis to until stop* *stop al hasta "
    "jusqu* final* arret* last beendet eind* term* resolution abgekl* dauer_bis",
    "drug": "medica* dci drug* medik* *medik* farmac* medicin* medicament* praparat* arznei* "
    "wirkstoff* substanz* med meds substance molecul* geneesm*",
    "purpose": "purpose grund *grund indik* indic* motiv* motif zweck* reason raison anlass reden",
    "dose": "dosier* dose* *dose dosis* *dosis dosi dosage dosag* dos *dosis* gray doses posolog* "
    "absorbed* absorb* energiedosis",
    "unit": "unit* einheit* unid* unite* udm um *einheit *unit uom eenheid",
    "route": "route via voie applikationsweg* applik* gabe* weg verabreich* toedien*",
    "visit": "visit* visite visita consult* ambul* termin* vorst* exam* untersuch* eval* assess* "
    "klin* clin* clini* control* kontroll* bezoek* rdv befund* fu follow* suivi seguim* "
    "verlauf* nachsorge*",
    "performance": "ecog* *ecog ps who oms perform* *ps etat_general allgemeinzust* az zubrod "
    "general",
    "state": "state etat stato estado status zustand *status statut",
    "general": "general* allgemein*",
    "weight": "wgt gew weight* gewicht* *gewicht poids peso wt kg korpergew* body kgs",
    "height": "groess* hgt height* grosse* korpergr* taille altezza talla altura ht lengte lange "
    "estatura statura size",
    "body": "body korper* corps corpo cuerpo",
    "ascites": "ascit* aszit* ascite* asc",
    "encephalopathy": "enceph* enzeph* encef* he hepenz*",
    "burden": "load burden last *last charge* carico carga envah* infiltr* befall *befall replac* "
    "extent* involv* invas* ausdehn* tumorlast afectac* ocupac* interess* anteil *anteil share",
    "carcinoid": "carcino* karzino* sindr* syndr* flush*",
    "symptoms": "sympt* *sympt* sint* sintom* beschw* klacht*",
    "change": "change* verander* ander* cambi* evol* verlauf* variaz* entwickl* andament* trend",
    "biliary": "bili* gall* *gall* biliaire* chol* dotti duct*",
    "obstruction": "obstru* ostru* stau* chole* stenos* verschl* ostruz* stasi",
    "angiography": "angio* *angio* arteriogr* arterio* mapping* map work* workup simul* evaluat* "
    "prep* testangio* repérage reper* planungs* probeang*",
    "maa": "maa* *maa tcmaa macroag* szinti* scinti* spect* gammagr* technet*",
    "shunt": "*shunt* lsf lsv hps",
    "lung": "lung* pulm* polm* poumon* *lung* *pulm* longs long",
    "fraction": "fraction* *fraktion* part* portion porc* frazion* fracc* anteil* ratio prozent* "
    "pct perc* percent* share",
    "method": "calcul* method* *method* metod* technique tecnica technik tecn* modus",
    "gastrointestinal": "gi gastro* digest* *gi magen* git extrahepshunt intestin* abdominal*",
    "leak": "leak* fuite* leck* reflux* fuga* stravas* deposition* extravas* misdep* captacion* "
    "captaz*",
    "embolised": "embol* *embol* coil* *coil* gecoilt occlus* okklu* spiral*",
    "vessels": "vess* gefass* vais* vasi vasos arter* aberr* collat* kollat* vaso",
    "planned": "plan* *plan* presc* prescr* verord* soll* intend* previst* previ* pianif* "
    "programm* gepl* forecast pred* predict* estim* vorhers* prevu*",
    "session": "sess* sitzung* seance* seduta* sesion* sessao zitting *sitzung",
    "target": "target* *target* ziel* *ziel* cible* obiettivo objet* bersaglio doel* diana blanco",
    "treatment": "treat* trait* tratt* trat* tto tx behandl* therap* terap* sirt* *sirt tare "
    "tare* rebe radioemb* re procedur* proc prozedur* y90 y90* interv* ttt bolus rad",
    "device": "device* produkt* prod product* prodotto sphar* *sphar* spher* microsph* mikrosph* "
    "micros* particl* partik* esfer* microsfer* dispo* dispos* presidio",
    "lobe": "lobus lobe* lobo* lobul* lappen* *lappen lob territ* seite side versorg* lato lado "
    "lobo",
    "segment": "segm* *segment* seg segs sgm couinaud",
    "volume": "vol vol* *vol *volum* perfvol",
    "mass": "mass* *masse massa masa mass",
    "perfused": "perfus* perfund* irror* trat* behandelt* treated infus*",
    "whole": "whole total* gesamt* totale ganz* entire tot intero compl*",
    "activity": "akt act act* activ* aktiv* *aktiv* attiv* att ativ* gbq mbq *activ*",
    "calibration": "cal cal* kal kal* *kal kalib* *kalib* calib* eich* taratur* *cal ref refer* "
    "referenz*",
    "administered": "adm adm* admin* appl* appliz* *appl inj* injiz* inject* injec* injet* infus* "
    "infond* somm* sommin* verabr* delivered deliv* gegeben given verab* iny* inyect* toeged* "
    "effect* effett* real tatsach* ist",
    "residual": "resid* rest* *rest *resid* remain* ruckst* sobrante waste remanente reliq*",
    "normal": "normal* gesund* sain sano sana healthy nontum* untum* nt parench* ntl nontumour*",
    "tumour": "tv tumor* *tumor* tumour* tumeur* tumoral* tum tumo* tu neoplas* tu_",
    "lesion": "lesion* lasion* *lasion* laesion* *laesion* lesi* les herd* *herd les* nodul* "
    "knoten* focus foco foyer ganglio",
    "name": "name* *name nom nome nombre bezeichn* label* design*",
    "recist": "recist*",
    "marked": "target* *ziel* ziel* cible* bersaglio diana marker flag",
    "scan": "scan* *scan exam* esam* untersuch* *untersuchung img imag* imaging bild* bildgeb* rx "
    "radiolog* *ct ct mri mrt irm tac tdm imagen* tecn* onderz* acq* staging* aufnahme studio "
    "estudio esplor* explor*",
    "modality": "modal* method* metod* technique tecnica technik verfahren *verfahren gerat* "
    "tipo_esame metodica tecnica* tipo type kind bildgeb* techn* equipo",
    "reader": "reader* leser* befunder* lect* letto* operator* radiologo* radiolog* auswert* "
    "beurt* observ* lettore rater* reviewer* lezer* evaluador* valutat*",
    "arterial": "arter* art *arter*",
    "phase": "phas* fas* temps tempo phase zeit kontrast* contrast*",
    "new": "new neu* nouv* nuov* nuev* nov* novas nieuw*",
    "nontarget": "nontarget* non_target nt ntl nichtziel* nicht",
    "evaluable": "evalu* auswertbar* valutab* beurteilb* interpret* quality qual* bewertbar* "
    "readable",
    "longest": "longest long* max* gross* grosst* lang* ld gd ga mayor maggior* gran* grand* "
    "principal major lengte diam_max d1 lange laenge dmax maximal* mass* lungo larg* durchm* "
    "diam* size taille mm grosse* la",
    "perpendicular": "perp* kd pa senk* ortog* ort perpend* perpendic* minor menor min klein* "
    "petit* kurz* short* sd quer* cross orthog* minore breit* d2 dmin width sad corto corta "
    "tiny",
    "axis": "axis achse* *achse axe asse eje diam* *diam* durchm* *durchm* dm eixo as ø lange",
    "enhancing": "enh* enhanc* vital* viab* viav* viable rehaus* reh kontrastm* km kmaufn* attiv* "
    "vivo realce realz* captante* arterial* hyperv* *vital* aktiv* vivace mrecist easl captac* "
    "kmauf*",
    "necrosis": "necr* nekr* *nekro* *necro*",
    "status": "status* *status stat statut* stato estado giudiz* judg* urteil* valutaz* beurteil* "
    "etat situac* evaluac* bewertung",
    "draw": "draw* abnahm* *abnahme prelev* preliev* prelievo sample* probe* *probe extrac* blut* "
    "blood entnahm* *entnahme sang* bio biol* lab* labo* analis* analy* collect* collec* bloed* "
    "muestra toma",
    "analyte": "analyt* test* parameter* *parameter param* esame exam* laborwert* wertname "
    "determin* prueba* anal* bepaling* item untersuch* parametre parametro messgr* analisi "
    "laborparam*",
    "value": "value* wert* *wert val valeur* valor* valore* result* *result* ergebn* risult* "
    "uitslag* waarde* messwert resultat* num",
    "lower": "lower* unten unter* inf* min basso lln low linf lo bajo ug unt* minim* niedr*",
    "upper": "upper* oben ober* sup* max *max alto uln high lsn hi lims lsup og maxim* hoch*",
    "limit": "limit* grenz* *grenz* norm* *norm* nw ref* range* referenz* borne* vn limite* "
    "valori nb rango valor_ref interv*",
    "event": "event* ereign* *ereign* even* evento* ae aes ea ei nw ue toxiz* tox* toss* efecto* "
    "effet* ade nebenw* *nebenw* sae adverse* avvers* advers* side complic* komplik* reakt* "
    "indesi* unerw* bijw* acontec*",
    "term": "term* *term begriff* libell* libel* terme* termine descr* beschr* bezeichn* desc* "
    "name* nom* nombre* text* preferred meddra* pt dizione *name",
    "ctcae": "ctc* *ctc* nci* nci",
    "version": "vers* ver v",
    "related": "rel relat* *relat* zusammenh* *zusammenh* lien corr* correl* kausal* causal* "
    "nesso rela* imputab* attrib* nexo relac* verband* verband bezug",
    "serious": "serious* schwerw* grav* seri* sae sue eig ernst* eag ser sev* schwer",
    "procedure": "proced* massn* eingriff* maatreg* measure* action* interven* intervent*",
    "outcome": "outcome* ausgang* issue esito* desenlace* resultado* out evol* verlauf* afloop "
    "desfecho resol* outc* evoluc* result_ae",
    "contact": "contact* kontakt* *kontakt contat* nouvelles news noticia* notiz* stand lastkont* "
    "fu follow* seguim* suivi nachsorge* verlauf* ultim* revis* vn",
    "last": "last letzt* *letzt* derni* ultim* laatst* lst last*",
    "death": "death* tod* *tod dec* deces* deced* mort* exit* fall* verst* overl* obito falec* "
    "muert* died sterb* dead gestorb*",
    "vital": "dead vital* leb* *leben alive viv* surviv* uberl* *uberl* mort* supervi* sopravv* "
    "vit os",
    "cause": "cause* *ursach* caus* grund motiv* oorzaak *grund",
    "kind": "kind* art *art typ* tip* type* via source* quell* fuente* fonte* modo mode* soort "
    "origen origin* mode canale* bron* weg",
    "response": "resp* anspr* *anspr* antwort* rispost* respon* reponse* tumoranspr* recist*",
    "overall": "overall global* gesamt* generale insges* complessiv*",
    "criterion": "criteri* krit* kriter*",
    "cost": "cost* kost* cout* precio* preis* eur euro betrag* montant* import* importo rechn* "
    "fact* fattur* prix price* billing invoice* versich* insur* kass* assur* drg",
    "consent": "consent* einwill* aufkl* konsens* opposition privacy firm* datenschutz* einverst* "
    "toestem*",
    "direct": "dir direct* direkt* dirett* konj* conj* conjug* kon",
    "relative": "rel relativ* % pct prozent* percent* perc* porcent*",
    "sum": "sum* somme* summe* somma* suma* total* gesamt* sld",
    "comment": "comment* komment* bemerk* remark* note* nota* observ* kommentar* anm* opmerk* "
    "freitext* commento* comentar* referto text* annot* remarq*",
    "duration": "duration* dauer* dur* duree* durata* months* mois* mesi meses monat* jahre tage "
    "days fluoro* scopia* dlp",
    "done": "yn done perform* durchgef* erfolgt* realis* realiz* effect* effett* effectu* "
    "eseguit* lieg* gemacht carried uitgev* fatto fait hecho vorhand* present* any recorded "
    "erfasst known bekannt",
    "next": "next upcoming prossim* nachst* naechst* prochain* proxim* volgend*",
    "stay": "admis* admit* discharg* entlass* einweis* alta sortie dimiss* ingres* opname ontslag* "
    "hospital* ricover* intern* los",
    "referral": "referr* zuweis* zuw uberweis* verwez* verwijz* invio adress*",
    "person": "arzt* *arzt doctor* dr medic* medec* huisarts* medico* physician* investig* "
    "operat* praxis* referent*",
    "place": "plz ort wohn* post* zip provinc* city* ville* stadt* strasse* region* "
    "reparto station* ward* servi* abteil* zentrum* centre center",
}
"""Concept -> the words that mean it."""

PARTS: Mapping[str, str] = {
    "date": "dt dat date datum fec fch dta dtc",
    "year": "yr jahr annee ann",
    "birth": "geb nais naiss nac nasc birth brth",
    "diagnosis": "diag dx diagn ed",
    "primary": "prim",
    "site": "lok loc site org",
    "grade": "grad gr grade",
    "functioning": "fonct funkt func hormon",
    "extrahepatic": "eh ehm ehd extrahep",
    "metastasis": "meta mets met",
    "visit": "vis ass visit visite exam",
    "weight": "wgt gew poids peso",
    "height": "hgt groesse taille",
    "angiography": "ang angio art map wu",
    "maa": "maa",
    "shunt": "shunt lsf",
    "lung": "lung pulm poum polm",
    "gastrointestinal": "gi dig",
    "treatment": "tx trt ttt tt sirt re tare rx y90 proc",
    "device": "dev sph",
    "lobe": "lob lobe lobus",
    "volume": "vol",
    "target": "cib targ ziel target",
    "perfused": "perf",
    "tumour": "tum tumor tumour",
    "normal": "norm",
    "activity": "act akt activ",
    "administered": "adm appl inj deliv",
    "calibration": "cal kal calib",
    "residual": "res rest resid",
    "dose": "dos dose dosis",
    "scan": "scan img im imag ct",
    "modality": "mod typ type",
    "class": "typ type class art cat",
    "kind": "typ type art",
    "arterial": "art arter",
    "phase": "ph phase",
    "new": "new neu nouv nuov nuev",
    "lesion": "les laes lesion lesions",
    "longest": "ld gd long max grand",
    "perpendicular": "kd short min perp sad petit",
    "axis": "diam dm axe dia",
    "draw": "lab bio prel samp lb abn",
    "event": "ae ei nw",
    "ctcae": "ctc tox ctcae",
    "begin": "st start deb beg onset begin beginn",
    "end": "en end fin stop ende",
    "related": "rel",
    "serious": "ser",
    "outcome": "out outc",
    "contact": "fu kon kont cont nouv nuv dn",
    "last": "last letzt lst der dern",
    "vital": "vit vital surv alive",
    "state": "stat statut status",
    "cause": "caus cause co urs ursach",
    "death": "death dc dec tod",
    "therapy": "tx ttt trt ther",
    "done": "yn mm pct cd kg",
}
"""Concept -> its short forms, of which names of few letters are put together, as DTNAISS."""

STOPPED = (
    "to the of de du des la le les l d el los las del della dello dei di da il lo en y et und "
    "and a an im am au aux bei per for zum zur der die das den dem von vom zu mit with con avec "
    "auf in un une uno una e o ou or oder par pour por para na no' do dos ne qu que al' selon "
    "laut gemass according is was ist war liegt si est ci incl inkl bzw ca etc i ii d' l'"
)
STOP = frozenset(STOPPED.split())
"""Words that say nothing in a name."""
