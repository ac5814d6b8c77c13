"""The field's words in English and Spanish, as the brief's grammar knows them.

A phrase is words without accents, in lower case; `*` stands for any ending. Articles may stand between the
words of a phrase. The longest phrase wins. What a phrase means is `class:value`:

topic     dust, debris, building, wind, light, grain, blur, slate, fragments, camera, street, base, roof
kind      a way to collapse; `kind_weak` only counts where no other way is named
fall      that it falls, without saying how
side, amount, colour, pace, material, roofing, strength, size, day, sunlight, air: values for settings
link      joins words that have no setting of their own but need no remark
"""

# ruff: noqa: E501  (the phrases are tables)

from __future__ import annotations

__all__ = ["COLOURS", "LANGUAGES", "Words"]

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One language: phrases by meaning, numbers, ordinals and the small words."""

    phrases: dict[str, str]
    numbers: dict[str, float]
    ordinals: dict[str, int]
    small: frozenset[str]
    articles: frozenset[str]
    adjective_first: bool


# Albedo of dry dust, linear ACEScg: fresh concrete and plaster dust reflects about a half, brick dust a third.
COLOURS: dict[str, tuple[float, float, float]] = {
    "white": (0.72, 0.71, 0.69),
    "pale": (0.60, 0.57, 0.52),
    "grey": (0.42, 0.41, 0.40),
    "dark grey": (0.22, 0.22, 0.21),
    "black": (0.08, 0.08, 0.08),
    "beige": (0.54, 0.47, 0.37),
    "ochre": (0.50, 0.36, 0.20),
    "yellow": (0.58, 0.49, 0.28),
    "brown": (0.30, 0.22, 0.15),
    "red": (0.42, 0.24, 0.17),
    "pink": (0.58, 0.44, 0.39),
    "dark": (0.20, 0.18, 0.16),
}

_ENGLISH = {
    "kind:implosion": "implod*|implosion|implosions|fold* in on itself|fold* into itself|fall* in on itself|fall* into itself|"
    "collaps* in on itself|collaps* into itself|collaps* inward*|fall* inward*|fold* inward*|cave* in on itself|caves in on themselves|caving in on itself|cave* in|caving in|"
    "controlled demolition|inward|inwards|in on itself|into itself|swallow* itself",
    "kind:topple": "toppl*|tip* over|tipping over|keel* over|fall* over|falling over|fall* sideways|sideways|"
    "on its side|onto its side|lean* over|overturn*|tumbl* over|fall* forward*|fall* backward*|"
    "fall* like tree|like tree|like felled tree|heel* over|roll* over on its side",
    "kind:pancake": "pancak*|floor by floor|storey by storey|story by story|floor after floor|floor upon floor|floor onto floor|"
    "floor on floor|storey after storey|story after story|one floor on top of another|concertina*|accordion*|"
    "like accordion|floors stack*",
    "kind_weak:pancake": "straight down|vertical|vertically|in its own footprint|into its own footprint|in its footprint|"
    "into its footprint|plumb|right down",
    "kind:progressive": "fold*|buckl*|crumbl*|crumpl*|peel*|progressive|progressively|unzip*|rippl*|give* way|gave way|"
    "giving way|domino*|like dominoes|piece by piece|bit by bit|cascad*|shear* off|slump*|unravel*",
    "fall": "give* out|gave out|fall|falls|falling|fallen|fell|collaps*|come* down|came down|coming down|go* down|going down|went down|drop|drops|"
    "dropping|crash*|bring* down|brought down|demolish*|demolition|destroy*|sink|sinks|sinking|tumbl*|plung*|fail*|"
    "come* apart|coming apart",
    "side:left": "left|left-hand|lefthand",
    "side:right": "right|right-hand|righthand",
    "side:centre": "centre|center|middle|central",
    "side:corner": "corner|corners",
    "side:front": "front|facade first",
    "side:back": "back|rear",
    "heading:180": "forward|forwards",
    "heading:0": "backward|backwards",
    "behind": "behind",
    "from": "from|starting at|beginning at|starting on|starts at|starts on|begins at|begins on|start* with|begin* with|"
    "starting from|beginning from|starting in|starting",
    "to": "to|toward|towards|onto|into|at|over",
    "away": "away from",
    "across": "across",
    "negation": "no|not|without|never|none|nothing|cannot|zero|avoid",
    "then": "then|afterwards|after that|finally|and then",
    "first": "at first|initially|to begin with|first|at beginning|at start|starts off|start* out|starts|begins",
    "pace:slow": "slow|slowly|gradual|gradually|lazily|gently|unhurried|slow-motion|slow motion|ponderous|ponderously",
    "pace:fast": "fast|quick|quickly|rapid|rapidly|swift|swiftly|promptly",
    "pace:faster": "faster|quicker|speed* up|accelerat*|gather* speed|picks up speed|pick* up speed",
    "pace:slower": "slower|slow* down|slowing down|decelerat*|ease* off",
    "pace:sudden": "sudden|suddenly|all at once|at once|in one go|instantly|instantaneous|instantaneously|abruptly|abrupt|"
    "without warning|in instant|in blink",
    "very": "very|really|extremely|so|incredibly",
    "topic:dust": "dust|dusty|dustcloud",
    "topic:debris": "debris|chips|grit|shrapnel|flying bits|bits of masonry|flying pieces|splinters",
    "topic:building": "building|house|tower|block|facade|structure|apartment*|tenement|church|warehouse|hotel|wall|walls|"
    "high-rise|townhouse|everything comes down",
    "topic:wind": "wind|winds|windy|breeze|breezy|gust|gusts|blow|blows|blowing",
    "topic:light": "sun|sunlight|lighting|sunshine|sky",
    "topic:grain": "grain|film grain|grainy",
    "topic:blur": "motion blur|motionblur",
    "topic:slate": "slate|clapper|clapperboard",
    "topic:fragments": "fragment|fragments|pieces|chunks|slabs|shards|blocks",
    "topic:camera": "camera|lens|viewer|us|audience|cameraman",
    "topic:street": "street|road|avenue|boulevard|alley|square|lane|pavement|sidewalk|neighbourhood|neighborhood",
    "topic:base": "base|bottom|foot|feet|below|footing|foundations|foundation",
    "topic:top": "top|rooftop|attic|above",
    "topic:roof": "roof|roofs",
    "amount:tiny": "trace of|hint of|whisper of|barely any|wisp of|wisps of|almost no|next to no|hardly any",
    "amount:little": "little|thin|slight|slightly|bit of|small|subtle|modest|less|faint|mild|restrained|some|gentle|weak|fewer|few|"
    "not much|not too much|not lot of|not many|not very much|softly",
    "amount:much": "much|lots of|lot of|plenty of|heavy|heavily|thick|dense|big|large|strong|more|great|many|billowing|rich|stiff|"
    "loads of|hard",
    "amount:huge": "huge|enormous|massive|tons of|gigantic|colossal|overwhelming|apocalyptic|wall of|immense|endless|masses of|"
    "violent|howling|monstrous",
    "amount:double": "double|twice|twice as much",
    "amount:half": "half|half as much",
    "light_word": "light|lightly",
    "colour:white": "white|whitish|chalk|chalky|plaster",
    "colour:pale": "pale|light grey|light gray|pale grey|pale gray|bright|light-coloured|light-colored",
    "colour:grey": "grey|gray|greyish|grayish|ash|ashen|ashy|cement",
    "colour:dark grey": "dark grey|dark gray|charcoal|slate grey|slate gray",
    "colour:black": "black|sooty|blackish",
    "colour:beige": "beige|sand|sandy|cream|creamy|tan",
    "colour:ochre": "ochre|ocher|orange",
    "colour:yellow": "yellow|yellowish|golden",
    "colour:brown": "brown|brownish|earthy",
    "colour:red": "red|reddish|terracotta|brick-red|brick red|rust-coloured",
    "colour:pink": "pink|pinkish|salmon|rosy",
    "colour:dark": "dark|darker",
    "reach:local": "stay* low|stay* close|stay* local|stay* put|hug* base|stay* at base|stays around base|contained|hug* ground|"
    "hug* foot|clings to base|stay* near",
    "spread": "roll|rolls|rolling|spread|spreads|spreading|pour|pours|pouring|run|runs|running|rush|rushes|rushing|fill|fills|"
    "filling|engulf*|swallow|swallows|swallowing|surge|surges|surging|creep|creeps|creeping|sweep|sweeps|sweeping|"
    "flood|floods|flooding|billow|billows|cover|covers|covering|travel|travels|race|races|racing|hit|hits|bury|"
    "buries|envelop*|reach|reaches|reaching|come|comes|coming|drift|drifts|drifting|go|goes|get|gets|stay|stays|hang|hangs",
    "opaque": "opaque|impenetrable|solid wall",
    "sheer": "translucent|see-through|transparent|hazy|wispy|diaphanous",
    "material:masonry": "brick|bricks|masonry|stone|sandstone|limestone",
    "material:concrete": "concrete|reinforced concrete",
    "material:glass": "glass|glazed|curtain-wall|curtain wall",
    "roofing:flat": "flat",
    "roofing:mansard": "mansard",
    "roofing:gable": "gable|gabled|pitched",
    "strength:weak": "rotten|fragile|brittle|rickety|flimsy|crumbly|weakened|decrepit|derelict",
    "strength:strong": "sturdy|solid|robust|resists|resist|resisting|stubborn|stubbornly|reluctant|reluctantly|well-built|"
    "holds out|tough",
    "size:large": "big pieces|large pieces|big chunks|large chunks|large slabs|big slabs|great slabs|huge slabs|huge chunks|"
    "big blocks|large blocks|massive chunks",
    "size:small": "small pieces|tiny pieces|small bits|tiny bits|smithereens|small fragments|tiny fragments|powder|rubble dust|"
    "small chunks|crumbs",
    "day:low": "sunset|sundown|dusk|golden hour|sunrise|dawn|daybreak|low sun|sun low|sun is low|evening light|evening sun|"
    "late afternoon|magic hour|low light from",
    "day:high": "noon|midday|high sun|sun high|sun overhead|overhead sun|sun is high",
    "sunlight:none": "overcast|cloudy|grey sky|gray sky|no sun|without sun|sunless|clouded|cloud cover|grey day|gray day",
    "sunlight:soft": "soft light|diffuse light|diffused light|soft sun|hazy sun|weak sun|pale sun|milky light|soft sunlight",
    "sunlight:hard": "hard light|harsh light|hard sun|harsh sun|bright sun|strong sun|blazing sun|full sun|sunny|hard sunlight|"
    "harsh sunlight|bright sunlight|strong sunlight|glaring sun|clear sky",
    "sun:against": "backlit|backlight|against light|against sun|contre-jour|into sun|sun behind building|sun behind house|"
    "sun behind it",
    "sun:behind": "front-lit|frontlit|sun behind camera|sun behind us|sun at our back*|frontal light|light behind camera",
    "air:still": "windless|still air|no wind|without wind|air is still|dead calm",
    "air:gale": "gale|storm|stormy|hurricane",
    "air:strong": "strong wind|strong winds|high wind|high winds|heavy wind|stiff breeze|hard wind|strong gusts|gusty|gusts",
    "air:breeze": "breeze|light breeze|gentle breeze|slight breeze|light wind|gentle wind|soft wind|soft breeze|slight wind|breath of wind",
    "floor": "floor|floors|level|levels",
    "storey": "storey|storeys|story|stories",
    "ground": "ground floor|street level|ground level|bottom floor|lowest floor|ground storey|ground story|street-level",
    "top": "top floor|top storey|top story|uppermost floor|highest floor|last floor",
    "second": "second|seconds|sec|secs|s",
    "frame": "frame|frames",
    "fps": "fps|frames per second|frames a second",
    "ms": "m/s|metres per second|meters per second|metres a second",
    "kmh": "km/h|kph|kmh|kilometres per hour|kilometers per hour|kilometres an hour",
    "after": "after|wait|wait for|hold|hold for|waits|holds for|following",
    "in": "in|later|into shot|into it",
    "within": "in|over|within|takes|take|taking|over course of|during|lasts|lasting",
    "long": "long|shot|take|plate|clip|sequence",
    "seed": "seed",
    "link": "almost|nearly|all|storm of|wave|waves|front|cloud|clouds|up|down|along|off|out|onto|upon|side|end|half of|part|with|while|as|whole|"
    "entire|old|this|that|there|just|only|please|make|let|want|have|see|we|i|i'd|like|would|should|must|need|"
    "needs|shot|scene|plate|start|starts|starting|begin|begins|beginning|hand|way|edge|kind of|sort of|both|until|"
    "under|own|through|everywhere|day|film|picture|frame|whole thing|style|hour|afternoon|morning|evening|flying|"
    "fly|flies|thrown|throw|throws|break|breaks|breaking|into|shatter|shatters|air|but|made|built|brings|leaving|"
    "leaves|leave|roofed|hanging|moves|moving|shine|shines|shining|lit|coming|comes|come|keep|keeps|add|show|goes",
}

_SPANISH = {
    "kind:implosion": "implosion*|implot*|implosionar|hacia dentro|hacia adentro|sobre si mism*|hacia su interior|"
    "demolicion controlada|para adentro|para dentro",
    "kind:topple": "vuelc*|volc*|ca* de lado|caiga de lado|caer de lado|de lado|de costado|sobre un costado|tumb*|"
    "como un arbol|de bruces|ca* hacia delante|ca* hacia adelante|ca* hacia atras|"
    "se vence hacia|ladea*",
    "kind:pancake": "piso sobre piso|planta sobre planta|piso por piso|planta por planta|piso a piso|planta a planta|piso tras piso|"
    "planta tras planta|un piso sobre otro|unos sobre otros|como un acordeon|en acordeon|como panqueques|panqueque*|"
    "como tortitas|en sandwich|un piso encima de otro",
    "kind_weak:pancake": "en vertical|vertical|verticalmente|a plomo|recto hacia abajo|hacia abajo|derecho hacia abajo|"
    "derecho abajo|sobre su propia huella|sobre su huella|en picado|recto",
    "kind:progressive": "plieg*|pleg*|dobl*|desmoron*|progresiv*|cede|ceden|ceda|ceder|cediendo|por partes|a pedazos|"
    "en cadena|domino|como fichas de domino|pandea*|pandeo|resquebraj*|quiebra|quiebran|se abre|deshac*|deshac*|arrug*",
    "fall": "cae|caen|caiga|caigan|caer|caida|cayendo|caerse|desplom*|derrumb*|hunde|hunden|hunda|hundirse|hundimiento|"
    "colaps*|viene abajo|vienen abajo|venirse abajo|venga abajo|se va abajo|demol*|destruy*|destru*|falla|fallan|fallando|"
    "baja|bajan|bajando|se cae",
    "side:left": "izquierda|izquierdo|izq",
    "side:right": "derecha|derecho",
    "side:centre": "centro|medio|central|mitad del edificio",
    "side:corner": "esquina|esquinas|chaflan|ochava",
    "side:front": "frente|delante|parte delantera|fachada delantera",
    "side:back": "atras|parte trasera|trasera|fondo|detras",
    "heading:180": "hacia delante|hacia adelante",
    "heading:0": "hacia atras",
    "behind": "detras de",
    "from": "desde|por|empezando por|empieza por|comienza por|comenzando por|a partir de|comenzando en|empezando en|"
    "arranca por|arranca en|empieza en|comienza en|empieza desde",
    "from_of": "del|de",
    "to": "hacia|hasta|a|al|sobre|contra|rumbo a",
    "away": "lejos de|alejandose de",
    "across": "a traves",
    "negation": "no|sin|nunca|ni|nada de|ningun|ninguna|ninguno|tampoco|jamas|cero|evitar|nada",
    "then": "luego|despues|entonces|finalmente|al final|a continuacion|por fin|y luego|enseguida",
    "first": "al principio|primero|inicialmente|al comienzo|al inicio|de entrada|empieza|comienza|arranca|de inicio|en principio",
    "pace:slow": "lento|lenta|lentamente|despacio|gradual|gradualmente|poco a poco|pausado|pausadamente|suavemente|"
    "camara lenta|en camara lenta|con lentitud|lentitud",
    "pace:fast": "rapido|rapida|rapidamente|deprisa|velozmente|veloz|aprisa|con rapidez|rapidez",
    "pace:faster": "acelera*|mas rapido|cada vez mas rapido|mas deprisa|coge velocidad|toma velocidad|ganando velocidad",
    "pace:slower": "mas lento|mas despacio|frena*|se frena|ralentiz*|desaceler*",
    "pace:sudden": "repente|de repente|de golpe|de pronto|subitamente|subito|de una vez|todo a la vez|a la vez|"
    "instantaneamente|bruscamente|de un golpe|de un tiron|sin aviso|en un instante|golpe",
    "very": "muy|realmente|sumamente|tan|bien",
    "topic:dust": "polvo|polvareda|polvoriento|polvoriento",
    "topic:debris": "escombros|cascotes|cascote|esquirlas|gravilla|astillas|restos|pedazos volando",
    "topic:building": "edificio|casa|torre|bloque|fachada|estructura|inmueble|iglesia|hotel|muro|muros|pared|paredes|"
    "rascacielos|finca|construccion|almacen",
    "topic:wind": "viento|vientos|ventoso|brisa|rafaga|rafagas|sopla|soplan|soplando|sople",
    "topic:light": "sol|luz|iluminacion|cielo|soleado",
    "topic:grain": "grano|granulado",
    "topic:blur": "desenfoque de movimiento|desenfoque|motion blur",
    "topic:slate": "claqueta|pizarra",
    "topic:fragments": "fragmentos|fragmento|trozos|pedazos|piezas|bloques|placas|losas",
    "topic:camera": "camara|objetivo|lente|espectador|publico|nosotros|nos",
    "topic:street": "calle|avenida|bulevar|callejon|plaza|calzada|acera|barrio",
    "topic:base": "base|pie|pies|abajo|cimientos",
    "topic:top": "arriba|azotea|cima|parte alta",
    "topic:roof": "tejado|techo|cubierta",
    "amount:tiny": "apenas|casi nada de|casi sin|una pizca de|un rastro de|una pizca",
    "amount:little": "poco|poca|pocos|pocas|un poco de|algo de|leve|leves|ligero|ligera|ligeros|escaso|escasa|tenue|tenues|"
    "suave|pequeno|pequena|moderado|moderada|debil|menos|no mucho|no mucha|no demasiado|no demasiada|no muchos",
    "amount:much": "mucho|mucha|muchos|muchas|bastante|bastantes|espeso|espesa|denso|densa|pesado|pesada|gran|grande|grandes|"
    "fuerte|fuertes|abundante|abundantes|mas|intenso|intensa|cantidad de|montones de",
    "amount:huge": "muchisimo|muchisima|muchisimos|muchisimas|enorme|enormes|inmenso|inmensa|gigantesco|gigantesca|brutal|"
    "descomunal|toneladas de|un muro de|una pared de|masivo|masiva|colosal|monstruoso|monstruosa|violento|violenta",
    "amount:double": "doble|el doble de|doble de",
    "amount:half": "mitad|mitad de|la mitad de",
    "colour:white": "blanco|blanca|blanquecino|blanquecina|yeso|de yeso|de cal",
    "colour:pale": "claro|gris claro|gris palido|clara|palido|palida|clarito",
    "colour:grey": "gris|grises|grisaceo|grisacea|ceniza|ceniciento|cenicienta|cemento|de cemento",
    "colour:dark grey": "gris oscuro|gris oscura|gris marengo",
    "colour:black": "negro|negra|negruzco",
    "colour:beige": "beige|arena|color arena|crema|arenoso",
    "colour:ochre": "ocre|anaranjado|naranja",
    "colour:yellow": "amarillo|amarillento|amarilla|amarillenta|dorado",
    "colour:brown": "marron|pardo|parda|cafe|terroso|terrosa|castano",
    "colour:red": "rojo|roja|rojizo|rojiza|de ladrillo|color ladrillo|terracota",
    "colour:pink": "rosa|rosado|rosada|rosaceo",
    "colour:dark": "oscuro|oscura",
    "reach:local": "se queda abajo|queda abajo|se queda cerca|queda cerca|no se extiende|se queda en base|pegado al suelo|"
    "a ras de suelo|se queda al pie|queda al pie|se queda en el pie|sin extenderse|contenido|contenida",
    "spread": "rueda|rueda por|rodando|avanza|avanzan|avanzando|avance|sube|suben|subiendo|baja|corre|corriendo|invade|invadiendo|"
    "inunda|inundando|llena|llenando|cubre|cubriendo|envuelve|envolviendo|traga|engulle|llega|llegan|llegue|llegar|"
    "llegando|alcanza|alcance|alcanzar|alcanzando|extiende|extienda|extenderse|barre|barriendo|viene|se queda|queda|"
    "toca|toque|recorre|sale|crece|arrastra",
    "opaque": "opaco|opaca|impenetrable",
    "sheer": "translucido|translucida|transparente|vaporoso|vaporosa",
    "material:masonry": "ladrillo|ladrillos|piedra|mamposteria|piedras",
    "material:concrete": "hormigon|concreto|hormigon armado",
    "material:glass": "vidrio|cristal|acristalado|acristalada|muro cortina",
    "roofing:flat": "plano|plana",
    "roofing:mansard": "mansarda|abuhardillado|abuhardillada",
    "roofing:gable": "a dos aguas|inclinado|dos aguas",
    "strength:weak": "fragil|ruinoso|ruinosa|endeble|podrido|podrida|quebradizo|en ruinas|debilitado",
    "strength:strong": "solido|solida|robusto|robusta|resiste|resisten|resistiendo|se resiste|macizo|maciza|aguanta|aguantando",
    "size:large": "trozos grandes|grandes trozos|bloques grandes|grandes bloques|grandes pedazos|pedazos grandes|grandes placas|"
    "grandes losas|piezas grandes",
    "size:small": "trozos pequenos|pequenos trozos|pedacitos|trocitos|anicos|pequenos pedazos|pedazos pequenos|piezas pequenas|"
    "migajas|fragmentos pequenos|pequenos fragmentos",
    "day:low": "atardecer|anochecer|amanecer|ocaso|puesta de sol|hora dorada|sol bajo|luz de tarde|hora magica|crepusculo|alba|"
    "ultima hora de la tarde|luz rasante",
    "day:high": "mediodia|sol alto|sol en lo alto|sol cenital|pleno mediodia",
    "sunlight:none": "nublado|cubierto|cielo gris|sin sol|encapotado|cielo cubierto|dia gris",
    "sunlight:soft": "luz suave|luz difusa|sol suave|luz tenue|sol palido|sol debil",
    "sunlight:hard": "luz dura|sol duro|sol fuerte|sol brillante|pleno sol|soleado|sol radiante|sol intenso|a pleno sol|"
    "luz fuerte|sol de justicia|cielo despejado",
    "sun:against": "contraluz|a contraluz|sol detras del edificio|sol detras de casa|sol de frente",
    "sun:behind": "sol a espaldas|sol detras de camara|sol a nuestra espalda|luz frontal|sol detras de nosotros",
    "air:still": "sin viento|sin brisa|aire quieto|aire en calma|ni gota de viento|sin nada de viento|calma total",
    "air:gale": "vendaval|temporal|huracan|tormenta",
    "air:strong": "viento fuerte|fuerte viento|mucho viento|rafagas fuertes|fuertes rafagas|rafagas|viento intenso",
    "air:breeze": "brisa|brisa ligera|ligera brisa|leve brisa|brisa suave|suave brisa|viento suave|viento ligero|poco viento|"
    "viento flojo|algo de viento|un poco de viento",
    "floor": "piso|pisos|planta|plantas|nivel|niveles",
    "ground": "planta baja|bajos|piso bajo|planta calle|nivel de calle|ras de calle|bajo",
    "top": "ultima planta|ultimo piso|atico|piso mas alto|planta mas alta",
    "second": "segundo|segundos|seg|s",
    "frame": "fotograma|fotogramas|frame|frames|cuadro|cuadros",
    "fps": "fps|fotogramas por segundo|cuadros por segundo|fotogramas segundo",
    "ms": "m/s|metros por segundo",
    "kmh": "km/h|kmh|kilometros por hora",
    "after": "tras|despues de|a los|al cabo de|espera|esperar|pasados|pasado|transcurridos|aguanta|al",
    "in": "despues|mas tarde|dentro",
    "within": "en|durante|tarda|tardando|tarde|dura|durando|a lo largo de|en unos|demora",
    "long": "plano|toma|clip|duracion|secuencia|plano de",
    "seed": "semilla",
    "link": "casi|toda|todas|todos|ola|olas|nube|nubes|se|si|mismo|lado|parte|extremo|con|mientras|que|como|todo|entero|viejo|vieja|antiguo|antigua|este|esta|"
    "quiero|queremos|quisiera|ver|hay|haya|deja|dejando|tiene|tenga|plano|escena|mas|menos|hace|haz|pon|poner|"
    "empieza|comienza|empezando|comenzando|arriba|abajo|calle|hora|dia|tarde|manana|imagen|pelicula|cine|"
    "volando|vuelan|rompe|rompen|romperse|rompiendose|rompiendo|aire|pero|llega|viene|vienen|mucho|luz|"
    "color|muy|propia|propio|le|lo|cuando|estalla|estalle|brilla|ilumina|entra|aparece|levanta|levante|levantando|levantarse",
}

_ENGLISH_NUMBERS = {
    "zero": 0, "one": 1, "a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "eighteen": 18, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100,
    "thousand": 1000, "half": 0.5,
}  # fmt: skip

_SPANISH_NUMBERS = {
    "cero": 0, "un": 1, "uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8,
    "nueve": 9, "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16,
    "veinte": 20, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "cien": 100, "mil": 1000,
    "medio": 0.5, "media": 0.5,
}  # fmt: skip

_ENGLISH_ORDINALS = dict(
    zip(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
        ],
        range(1, 13),
        strict=True,
    )
)

_SPANISH_ORDINALS = {
    f"{stem}{ending}": number
    for number, stem in enumerate(
        [
            "primer",
            "segund",
            "tercer",
            "cuart",
            "quint",
            "sext",
            "septim",
            "octav",
            "noven",
            "decim",
            "undecim",
            "duodecim",
        ],
        1,
    )
    for ending in ("o", "a")
} | {"primer": 1, "tercer": 3}

LANGUAGES: dict[str, Words] = {
    "en": Words(
        phrases=_ENGLISH,
        numbers=_ENGLISH_NUMBERS,
        ordinals=_ENGLISH_ORDINALS,
        small=frozenset(
            [
                "it",
                "he",
                "she",
                "they",
                "the",
                "a",
                "an",
                "of",
                "and",
                "or",
                "nor",
                "is",
                "are",
                "be",
                "its",
                "it's",
                "their",
                "his",
                "her",
                "our",
                "on",
                "by",
                "for",
                "so",
                "which",
                "who",
                "some",
                "any",
                "then",
                "than",
                "too",
                "also",
                "has",
                "was",
                "were",
                "will",
                "do",
                "does",
                "did",
                "off",
                "this",
                "that",
                "these",
                "those",
                "at",
                "in",
                "to",
                "from",
                "with",
                "up",
                "as",
                "if",
            ]
        ),
        articles=frozenset(["the", "a", "an", "its"]),
        adjective_first=True,
    ),
    "es": Words(
        phrases=_SPANISH,
        numbers=_SPANISH_NUMBERS,
        ordinals=_SPANISH_ORDINALS,
        small=frozenset(
            [
                "el",
                "la",
                "los",
                "las",
                "un",
                "una",
                "unos",
                "unas",
                "de",
                "del",
                "y",
                "e",
                "o",
                "u",
                "es",
                "son",
                "esta",
                "estan",
                "su",
                "sus",
                "en",
                "a",
                "al",
                "por",
                "para",
                "que",
                "con",
                "se",
                "lo",
                "le",
                "ser",
                "sea",
                "muy",
                "ya",
                "mas",
                "tambien",
                "donde",
                "cual",
                "mi",
                "nuestro",
                "nuestra",
                "ha",
                "han",
                "fue",
                "hay",
                "como",
                "sobre",
                "hacia",
                "desde",
            ]
        ),
        articles=frozenset(["el", "la", "los", "las", "un", "una", "su"]),
        adjective_first=False,
    ),
}
