import type { Language } from "../fact.ts"

export const es: Language = {
  name: "es",
  is_spaced: true,
  adverbs: `
    ahora mismo|ahora|actualmente|todavía|aún|también|ya|siempre|desde hace \\p{L}+ \\p{L}+|desde \\p{L}+|justo|recién|por fin|al final|normalmente|mucho|muy|casi siempre
    |de momento|hoy en día|por cierto|realmente|solo|sólo|simplemente|oficialmente|en realidad|por favor|últimamente|hace poco|a partir de ahora|además`,
  stops: `
    y|e|pero|porque|pues|así que|aunque|que|cuando|donde|si|como|con|hasta|o|u|entonces|por favor|puedes|podrías|es|son|está|era|ha|no|ni|yo|nosotros|tú|usted
    |él|ella|también|además|mientras|ya que|para que|sin|desde|por eso|o sea|lo que|la que|el que|lo otro|a lo que|hace|después de|tampoco|ahora|de momento`,
  refused: `
    no|ni|nunca|nada|nadie|ningún|ninguna|qué|que|quién|cómo|dónde|cuándo|cuál|cuánto|muy|tan|demasiado|bastante|más|menos|ya|todavía|aún|bien|mal|aquí|ahí|allí|allá
    |listo|lista|seguro|segura|contento|contenta|cansado|cansada|harto|harta|perdido|perdida|loco|loca|mucho|poco|un poco|una duda|una pregunta|claro|roto|rota
    |verdad|cierto|mejor|peor|igual|consciente|capaz|así|como|tu|tus|su|ese|esa|eso|esto|muerto|muerta|hecho|hecha|en serio|lo|la que|el que|posible|imposible|para`,
  empty_nouns: `
    (?:.*\\s)?(?:pregunta|duda|problema|punto|idea|opinión|código|error|respuesta|objetivo|miedo|culpa|cabeza|impresión|sospecha|propuesta|consejo|cosa|pantalla|plan|texto
    |borrador|mensaje|salida|entrada|prueba|pruebas|guion|función|petición|tema|turno|caso|consulta|intención|parte|lado|vida|mayor|único|única)
    |.*(?<!(?:de|en|a|para|por|con)) (?:el|la|los|las|un|una|mi|él|ella|ellos|y|quien|que|es|era|está|ha) .*`,
  of: `de|del|como`,
  asking: `
    qué|quién|quiénes|cuál|cuáles|cuándo|dónde|adónde|por qué|cómo|cuánto|cuánta|cuántos|cuántas|puedes|podrías|puede|podría|me puedes|me podrías|sabes|sabe|es|son
    |está|están|hay|tengo|tiene|tienes|debo|debería|vale|crees|conviene|si|será|sería|vivo|a qué|de qué|en qué|con qué|para qué`,
  supposing: `
    si(?! te digo| te soy| soy sincer| le digo| no te importa| puede ser| quieres)|sería|serían|imagina|imagínate|imagine|supón|supongamos|supongo|digamos|como si|ojalá|no es verdad|no es cierto|no creo|dudo|soñé|no|nunca|nadie|ejemplo|p\\.ej|finge|haz como
    |fuera|fuese|hubiera|tuviera|viviera|en caso de`,
  reporting: `
    (?:él|ella|ellos|ellas|quien|alguien|la gente|todos|mi jefe|mi jefa|mi madre|mi padre|mi vecino|mi vecina)(?: \\p{L}+)? (?:dice|dijo|dicen|cuenta|contó|escribe|escribió|asegura|pregunta|preguntó|cree)
    |(?:me|nos|le|les)? ?(?:dijo|contó|escribió|dicen|dice|aseguró|contaron)(?: que)?|según|(?:la canción|la letra|el texto|el correo|la carta|el artículo|el cartel) (?:dice|pone|es)`,
  fiction: `
    (?:escribe|escríbeme|escriba|cuéntame|cuenta|inventa|invéntate|redacta|continúa|sigue|hazme|dame)(?: \\p{L}+){0,5} (?:historia|cuento|relato|poema|canción|letra|novela|escena|guion|guión|diálogo|monólogo
    |chiste|juego de rol|personaje|fábula|soneto|rima|haiku|microrrelato)|finge|haz como si|juguemos|jugamos a|estamos jugando|juego de rol|en mi (?:novela|historia|cuento|libro|juego|campaña|obra|película|guion|guión|relato)
    |mi personaje|el narrador|la narradora|el protagonista|la protagonista|frase de ejemplo|texto de ejemplo|texto de relleno`,
  about_me: `\\bsobre m[ií]\\b|\\bde m[ií]\\b|\\brecuerda\\b|\\bapunta\\b|\\bnotas?\\b|\\bmis datos\\b|\\bpara que sepas\\b`,
  change: `
    ahora|ya no|dejé|dejamos|me mudé|nos mudamos|mudanza|mudado|mudada|cambié|cambiado|cambio|a partir de ahora|en vez de|en lugar de|nuevo|nueva|recién|acabo de|empiezo|empecé|ampliado
    |ampliaron|aplazado|aplazaron|pospuesto|prorrogado|prórroga|adelantado|al final|olvida lo|corrección|en realidad|por fin|últimamente|antes|hasta ahora|desde el lunes|desde ayer`,
  dates: `
    enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre|lunes|martes|miércoles|jueves|viernes|sábado|domingo|hoy|mañana|pasado mañana
    |próxima semana|semana que viene|mes que viene|finales de|principios de|fin de mes|primavera|verano|otoño|invierno|navidad|semana santa|mediodía|medianoche`,
  days: "pasado_mañana:+2 mañana:+1 hoy:+0 domingo:0 lunes:1 martes:2 miércoles:3 jueves:4 viernes:5 sábado:6",
  people: `
    sister:hermana brother:hermano mother:madre,mamá,mami father:padre,papá,papi parents:padres wife:mujer,esposa,señora husband:marido,esposo
    partner:pareja,prometido,prometida girlfriend:novia,polola boyfriend:novio,pololo son:hijo,niño daughter:hija,niña child:peque baby:bebé twin:gemela,gemelo,melliza,mellizo
    grandmother:abuela,abuelita,yaya grandfather:abuelo,abuelito,yayo aunt:tía uncle:tío cousin:primo,prima niece:sobrina nephew:sobrino
    little_sister:hermana_pequeña,hermanita older_sister:hermana_mayor younger_sister:hermana_menor older_brother:hermano_mayor
    younger_brother:hermano_menor,hermano_pequeño oldest_son:hijo_mayor youngest_son:hijo_menor,hijo_pequeño oldest_daughter:hija_mayor
    youngest_daughter:hija_menor,hija_pequeña mother-in-law:suegra father-in-law:suegro sister-in-law:cuñada brother-in-law:cuñado
    best_friend:mejor_amigo,mejor_amiga friend:amigo,amiga flatmate:compañero_de_piso,compañera_de_piso,roomie neighbour:vecino,vecina
    boss:jefe,jefa colleague:compañero,compañera,colega landlord:casero landlady:casera teacher:profesor,profesora,maestra,maestro doctor:médico,médica,doctora,doctor
    dentist:dentista therapist:psicóloga,psicólogo,terapeuta accountant:gestor,gestora,contador,contadora lawyer:abogado,abogada
    dog:perro,perra,perrito,perrita cat:gato,gata,gatito,gatita horse:caballo,yegua rabbit:conejo,coneja parrot:loro,periquito hamster:hámster tortoise:tortuga pet:mascota`,
  nouns: `
    email:correo,correo_electrónico,email,mail phone_number:teléfono,número_de_teléfono,móvil,celular,número_de_móvil,número address:dirección
    time_zone:zona_horaria,huso_horario birthday:cumpleaños,cumple,fecha_de_nacimiento age:edad job:profesión,trabajo,oficio employer:empresa
    surname:apellido nickname:apodo,mote language:lengua_materna,idioma_materno from:ciudad_natal,pueblo budget:presupuesto`,
  things: `
    project:proyecto repository:repositorio,repo dog:perro,perra cat:gato,gata horse:caballo boat:barco,velero car:coche,carro,auto van:furgoneta,furgo bike:bici,bicicleta
    band:grupo,banda company:empresa startup server:servidor machine:máquina laptop:portátil app:app,aplicación service:servicio database:base_de_datos cluster
    branch:rama team:equipo club shop:tienda bakery:panadería bar restaurant:restaurante cafe:cafetería channel:canal podcast blog book:libro
    robot printer:impresora router network:red folder:carpeta file:archivo script tool:herramienta library:biblioteca product:producto hotel
    guesthouse:pensión,hostal,casa_rural choir:coro school:colegio,escuela,cole course:curso garage:garaje workshop:taller client:cliente,clienta`,
  rules: `
note rest 0.9
  recuerda|recuerde|acuérdate|recordá ~ que|de_que|: / apunta|anota|apúntate|anótate ~ que|, / apunta|anota|apúntate|anótate ~ : / ten en cuenta que / no olvides que / que no se te olvide que|:
  para que lo sepas|tengas : / para que conste : / nota : / guarda esto :
note rest 0.8 first before
  guárdalo|guárdala|guárdamelo|apúntalo|apúntala|anótalo|anótala|recuérdalo|recuérdala|recuérdamelo / que no se me|te pase|olvide / no me dejes olvidarlo / no lo|la olvides
  por favor guárdalo|apúntalo|anótalo|recuérdalo
name name 0.9
  me llamo ~ / mi ~ nombre completo|real? es / soy|aquí la|el? (?=(?-i:\\p{Lu}\\p{Ll}+)\\s*(?:$|[.,!]|y\\b)) / mi nombre es
nickname name 0.9 like=(?-i:\\p{Lu}|\\ue000)
  dime|díganme|decime|llámame|llamame|llámeme ~ / todos|todo_el_mundo|mis_amigos me llaman|llama|dicen|dice / me dicen|llaman ~ / mi apodo es / prefiero que me llames|llamen|digas|digan
surname name 0.9
  mi|mis apellido|apellidos es|son / me apellido
location place 0.8 change
  me|nos mudé|mudamos ~ de|desde {from} a / me|nos he|hemos mudado ~ de|desde {from} a / me|nos mudé|mudamos|trasladé|trasladamos ~ a|para / me|nos he|hemos ~ mudado|trasladado ~ a
  acabo|acabamos de mudarme|mudarnos|mudar a / me|nos voy|vamos|fui|fuimos a vivir a / somos|soy ~ vecinos|vecino|vecina de / ahora vivo|vivimos en / me|nos mudo|mudamos ~ a
location place 0.85
  vivo|vivimos|resido|residimos ~ en|cerca_de / estoy|estamos ~ viviendo en / vivo|vivimos {from} en / llevo|llevamos \\p{L}+ \\p{L}+ viviendo en / mi|nuestra casa está en / vivo yo en
location place 0.8 change negated
  ya no vivo|vivimos en
previous_location place 0.8
  vivía|vivíamos|viví|vivimos antes? en / antes vivía|vivíamos|viví en
from place 0.85
  soy|somos ~ originario|originaria|natural? de (?=(?-i:\\p{Lu})|un pueblo) / nací|nacimos|me_crié|crecí en / vengo|procedo de (?=(?-i:\\p{Lu}))
address id 0.8 like=\\d+
  vivo|estoy|soy en? el|la|número|portal|piso?
address thing 0.85
  mi|nuestra ~ nueva? dirección es ~ / vivo|vivimos ~ en la_calle|la_avenida|la_plaza
phone_number number 0.85
  mi ~ nuevo? teléfono|número|móvil|celular|número_de_teléfono|número_de_móvil es ~ el?
employer place 0.85
  trabajo|trabajamos ~ en|para / estoy|estamos ~ trabajando en|para / mi ~ empresa es|se_llama / mi empleador es
employer place 0.8 change
  empiezo|empecé|comienzo|comencé ~ a_trabajar? en / entro|entré ~ a_trabajar en / he|acabo ~ empezado|de_empezar|fichado|entrado en|por / me cambio|cambié|paso|incorporo a / me han|contrataron contratado? en / he fichado por / fiché por
employer place 0.8 change negated like=(?-i:\\p{Lu})
  dejé|dejamos ~ / he dejado ~ / ya no trabajo en|para / me fui|despidieron|echaron de / renuncié a|en
job job 0.85
  trabajo ~ de|como / estoy ~ trabajando de|como / mi ~ profesión|oficio|trabajo es / soy ~ (?=(?!al[eé]rgic|vegetarian|vegan|pescetarian|intolerant|celíac|diabétic|originari|partidari|solitari|voluntari|necesari|contrari)\\p{L}{2,24}(?:or|ora|ista|ero|era|ente|enta|ante|anta|ogo|oga|ólogo|óloga|ico|ica|ario|aria|ado|ada|triz|eta|món|nte|tra|iz|grafo|grafa|tecto|tecta|óloga|sor|sora|estra|estro|cinero|matrona|chef|piloto|guía|juez|jueza|albañil|bombero|policía|taxista)\\b) / me gano la vida de|como|con
  soy|es de profesión|oficio / me dedico a
birthday date 0.85 of=$person
  mi|nuestra|nuestro {person} cumple|cumplirá ~ el / mi|nuestra|nuestro {person} cumple ~ años? ~ el / el cumpleaños|cumple de mi|nuestra|nuestro {person} es ~ el / mi|nuestra|nuestro {person} nació el
birthday date 0.85
  mi cumpleaños|cumple es|cae ~ el / cumplo años? el / nací el
name name 0.85 of=$person
  mi|nuestra|nuestro {person} se llama ~ / tengo|tenemos ~ un|una {person} que se_llama|llamado|llamada / tengo|tenemos ~ un|una {person} llamado|llamada / el nombre de mi|nuestra|nuestro {person} es
location place 0.85 of=$person
  mi|nuestra|nuestro {person} vive|reside|estudia ~ en / mi|nuestra|nuestro {person} está ~ viviendo en
location place 0.8 of=$person change
  mi|nuestra|nuestro {person} se mudó|ha_mudado|fue_a_vivir ~ a / mi|nuestra|nuestro {person} se muda|va_a_vivir ~ a
employer place 0.8 of=$person
  mi|nuestra|nuestro {person} trabaja ~ en|para
job job 0.8 of=$person
  mi|nuestra|nuestro {person} trabaja ~ de|como / mi|nuestra|nuestro {person} es (?=(?!al[eé]rgic|vegetarian|vegan|intolerant|celíac|diabétic)\\p{L}{2,24}(?:or|ora|ista|ero|era|ente|ogo|oga|ico|ica|ario|aria|ado|ada)\\b)
allergy thing 0.9 of=$person
  mi|nuestra|nuestro {person} es|son ~ alérgico|alérgica a|al / mi|nuestra|nuestro {person} no puede comer|tomar|beber / mi|nuestra|nuestro {person} tiene alergia a|al
likes thing 0.75 of=$person
  a mi|nuestra|nuestro {person} le encanta|encantan|gusta|gustan ~ / mi|nuestra|nuestro {person} adora
hobby thing 0.75 of=$person
  mi|nuestra|nuestro {person} se ha apuntado a / mi|nuestra|nuestro {person} hace|practica|toca|juega al?
school place 0.8 of=$person
  mi|nuestra|nuestro {person} va al|a_la|a / mi|nuestra|nuestro {person} estudia en
age number 0.8 of=$person like=\\d{1,3}\\b
  mi|nuestra|nuestro {person} tiene|cumple|cumplió ~
allergy thing 0.9
  soy|somos ~ alérgico|alérgica|alérgicos|intolerante a_la|a_los|a_las|a|al / tengo|tenemos ~ alergia|intolerancia a_la|a_los|a_las|a|al / no puedo|podemos ~ comer|tomar|beber|probar / mi alergia es a|al / yo con el|la|los|las
  mis alergias son|:
allergy thing 0.8 before
  me sienta|sientan fatal|mal / me da|dan alergia|urticaria / me manda|mandan|mandó al|a hospital|urgencias / no puedo ni probarlos|probarlas|probarlo|probarla|verlos
diet thing 0.9 like=(?:vegan|vegetarian|pescetarian|pescatarian|celíac|celiac|kosher|halal|keto|intolerante|diabétic|flexitarian)
  soy|somos ~ / como|comemos ~ / sigo una dieta / llevo \\p{L}+ \\p{L}+ siendo
diet_without thing 0.85
  no como|comemos|bebo|bebemos|tomo|tomamos ~ / he dejado de comer|beber|tomar / dejé de comer|beber|tomar / he dejado el|la|los|las (?=alcohol|carne|gluten|azúcar|café|lácteos)
health thing 0.85 like=[\\p{L}\\d -]{0,24}(?:asma|diabetes|epilepsia|migraña|artritis|tensión|cáncer|tdah|autismo|eczema|enfermedad|síndrome|trastorno|acúfenos|hernia|lumbago)
  tengo ~ / padezco ~ de? / sufro ~ de / me han diagnosticado|diagnosticaron
health thing 0.8
  el_fisio|la_fisio|fisio|médico|médica|doctor|doctora|dentista|traumatóloga|traumatólogo dice|dijo|cree que es|son|tengo ~ / me he|rompí|torcí roto|torcido|fracturado|operado? el|la|un|una|de
dislikes thing 0.8
  odio|detesto|aborrezco ~ / no soporto|aguanto|trago ~ / no me gusta|gustan ~ / me da|dan asco|miedo|pánico / no puedo con
dislikes phrase 0.8 before
  me parece|parecen un|una castigo|tortura|horror|rollo|pesadilla|suplicio / no me gusta|gustan nada / me da|dan asco / me pone|ponen de los nervios|malo|mala|enfermo
preference phrase 0.8
  prefiero|preferimos ~ mil_veces? / me gusta|gustan ~ más
likes thing 0.75
  me encanta|encantan|gusta|gustan|apasiona|apasionan|fascina|fascinan ~ / adoro|amo ~ / soy ~ fan|aficionado|aficionada|amante de|del|al|a / me chifla|flipa|mola ~
hobby thing 0.75
  juego al / toco el|la / colecciono ~ / estoy ~ aprendiendo|estudiando a? / me he apuntado|apunté a / mi|mis hobby|afición|aficiones|pasatiempo es|son
language thing 0.8
  hablo ~ / mi lengua|idioma materna|materno|nativa es
instruction phrase 0.8 first
  por favor|siempre ~ (?=(?:responde|contesta|escribe|usa|habla|dame|ponme|pon|trát|llám|respónd|contést|escríb|utiliza|resume|dime)\\p{L}*) / siempre ~ (?=(?:dame|dámelos|dámelas|usa|responde|contesta)) / a partir de ahora ,? / de ahora en adelante ,? / trátame|tráteme ~ / tutéame|tuteame
  respóndeme|contéstame|háblame|respóndame|contésteme ~ siempre|en (?=.) / quiero que siempre|me (?=(?:respondas|contestes|hables|escribas|trates)) / prefiero que ~ (?=(?:respondas|contestes|hables|escribas|me))
instruction phrase 0.75 before
  dámelos|dámelas|dámelo|dámela ~ siempre
does_not_want thing 0.8
  puedes|podéis|puede ahorrarte|ahorrarme|ahorrarse|dejarte|quitar|omitir ~ / ahórrate|ahórrame|ahórrese ~
does_not_want phrase 0.8 first
  por favor , no|nunca / no|nunca ~ (?=(?:uses|pongas|escribas|me pongas|me des|utilices|añadas|empieces|termines|me llames|me trates|me mandes|sugieras)\\b) / nada|ni|sin de? (?=(?:emojis?|exclamaciones|emoticonos|listas|tablas|viñetas|rodeos|caritas|signos|negritas|anglicismos)) / deja de / evita ~
name name 0.85 of=$noun
  mi|nuestro|nuestra {noun} se llama ~
owns thing 0.75
  tengo|tenemos ~ un|una (?=(?:(?-i:\\p{Lu}))|coche|moto|piso|barco|furgoneta|autocaravana|huerto|casa|perro|gato|perra|gata) / conduzco|conducimos ~ un|una / me|nos he|hemos comprado ~ un|una / me|nos compré|compramos ~ un|una / hemos|he adoptado ~ un|una|a
owns thing 0.75 like=(?-i:\\p{Lu}\\p{L}+ [\\p{Lu}\\d])
  es un|una
uses thing 0.75
  uso|usamos|utilizo|utilizamos ~ / estoy|estamos usando ~ / trabajo|trabajamos ~ con (?=(?-i:\\p{Lu}))
uses thing 0.75 change
  me|nos he|hemos pasado|cambiado a / me|nos pasé|pasamos|cambié|cambiamos|migramos a / hemos|he migrado a
uses thing 0.75 before
  que es|son lo|la|el|los que uso|usamos|utilizo|utilizamos|tengo|tenemos
deadline date 0.85 of=$noun
  el plazo|límite|tope para|de|del el|la|los|las? {noun} es|acaba|termina|vence|cierra ~ el? / el|la|los|las|mi|nuestro|nuestra {noun} hay|tengo|tenemos|tiene que presentarla|presentarlo|entregarla|entregarlo|enviarla|enviarlo|pagarla|pagarlo|estar_lista|estar_listo|estar|presentarse|entregarse ~ antes_del|el|para_el|hasta_el?
  el|la|los|las|mi|nuestro|nuestra {noun} vence|caduca|cierra|termina|acaba|se_entrega|se_presenta ~ el / tengo|tenemos que entregar|presentar|enviar|mandar|pagar el|la|los|las|mi|nuestro|nuestra {noun} ~ antes_del|el|para_el / la fecha límite|tope de|del|para el|la|los|las|mi? {noun} es ~ el
deadline date 0.85 vague change
  lo|la|nos han|ha ~ aplazado|atrasado|retrasado|pospuesto|ampliado|adelantado|cambiado|movido|pasado al|hasta_el|para_el|a_el / ahora ~ es|nos_convocan|será|queda|toca|tenemos_hasta|tengo_hasta|vence|me_convocan ~ el
  la nueva fecha|el_nuevo_plazo es|será ~ el
deadline date 0.85 vague
  tengo|tenemos ~ tiempo|plazo? hasta ~ el / el|la|mi plazo|entrega|fecha_límite|fecha_tope|fecha_de_entrega es|acaba|termina|vence|cierra|son? ~ el? / fecha límite|tope|de_entrega : / hay que entregarlo|entregarla|presentarlo|presentarla|enviarlo|enviarla ~ el|antes_del|para_el / el nuevo plazo|nueva_fecha es ~ el
$noun date 0.8 like=\\d{1,2}\\s+de\\s|[^.,]{0,20}\\d
  el|la|mi|nuestro|nuestra {noun} es ~ el / el|la|mi {noun} lo|la tengo|tenemos ~ el
appointment date 0.8
  me|nos dio|dieron|han_dado|ha_dado ~ cita|hora|turno la|el|mi? \\p{L}+ , ~ el? / me|nos dio|dieron|han_dado|ha_dado ~ cita|hora|turno ~ para? el? / tengo|tenemos ~ cita|hora|turno ~ el / tengo|tenemos ~ cita|hora|turno con|en|para el|la {noun} ~ el / mi|la cita es ~ el
$noun date 0.8 like=[^.]{0,24}\\d
  mi|nuestro|nuestra {noun} sale|despega|llega|empieza|aterriza|es ~ a|el|la|las? / tengo|tenemos ~ un|una|el|la|mi {noun} el|a
plan phrase 0.75
  me|nos voy|vamos ~ a|de|al (?=(?-i:\\p{Lu})|vacaciones|viaje|la) / viajo|viajamos|vuelo|volamos ~ a / voy|vamos ~ a (?=(?-i:\\p{Lu})|correr|casar|viajar) / me caso ~ / nos casamos ~ / me he|hemos inscrito|apuntado a|en|al / hemos|he reservado ~ / entreno|entrenando ~ para / me|nos tocó|dieron dorsal|plaza en|para ~ / me toca (?=[^.]{0,40}\\d)
plan phrase 0.75 like=[^.]{2,40}(?-i:\\p{Lu})
  dorsal|plaza en|para ~
name name 0.8 of=$last
  se llama|llaman ~ / lo|la|los|las llamamos|llamo|bautizamos|bauticé|hemos_llamado|he_llamado ~ / que bautizamos|bauticé|llamamos|llamo ~ / llamado|llamada ~ (?=(?-i:\\p{Lu})|\\p{L}+-)
name name 0.8 of=$thing
  el|la|mi|nuestro|nuestra {thing} se llama ~ / el nombre del|de_la|de_mi {thing} es
name name 0.75 of=$thing like=(?-i:\\p{Lu}[\\p{L}'-]+(?:\\s+[\\p{L}'-]+){0,3}),\\s
  el|la|nuestro|nuestra {thing} ,
version version 0.8 change
  etiqueté|etiquetamos|publiqué|publicamos|lancé|lanzamos|desplegué|desplegamos ~ la? versión? / la versión actual|nueva? es ~ la? / hemos|he publicado|etiquetado|lanzado|desplegado la? versión?
budget number 0.85
  no quieren|quiere|podemos|puedo|puede|pueden pasar|pasarse de
  el|mi|nuestro presupuesto es|son|está ~ de|en? / el|mi|nuestro presupuesto para|del|de|de_la el|la? {noun} es ~ de? / el|la|los|las {noun} no pasa|pasan de / tengo|tenemos un? presupuesto de / como mucho podemos|puedo gastar / no puedo|podemos gastar|gastarme|pasar más de|de
decision phrase 0.75
  tiramos|vamos|nos_quedamos|seguimos|me_quedo|sigo ~ con / al final ~ (?=(?:va|vamos|es|será|lo|la|nos|elegimos)\\s) / decidido : / he|hemos decidido|elegido ~ / elegimos|decidimos|escogimos ~ / usaremos|usamos ~ / lo|la pintamos|hacemos|pintaremos|haremos de|en|con / nos|me decantamos|decanto por
$noun id 0.8 like=[A-ZÑ]*-?\\.?\\d|(?:el|la|los|las)\\s+\\d|[A-ZÑ]{1,3}-
  mi|nuestro|nuestra {noun} es ~ el|la|número? / el número|código de {noun} , que es / mi|el número de {noun} es ~ el?
$noun id 0.75 like=(?:la|el|número)?\\s*[A-Z]?\\d
  tengo|tenemos ~ el|la {noun} / estoy|estamos en el|la {noun}
job job 0.75 like=(?!un\\b|una\\b|yo\\b|el\\b|la\\b|los\\b|de\\b|muy\\b|más\\b)\\p{L}{4,24}(?:or|ora|ista|ero|era|ogo|oga|ario|aria|triz|tora|dora|dor)\\b
  soy ~
age number 0.85 like=\\d{1,3}\\s+(?:años|recién)
  tengo ~ / cumplo ~ / acabo de cumplir
address id 0.75 like=\\d
  soy|vivo|estoy|vivimos ~ en? el|la
$noun thing 0.75
  mi {noun} es|son ~
`,
}
