var micro_bytes = 7780;
var micro_base64 = "AGFzbQEAAAABuwEXYAR/f39/AX9gA39/fwBgAn9/AGADf39/AX5gAX8Bf2AEf399fwBgAn9/AX5gBn9/f39/fwBgA39+fwF/YAN/f38Bf2AFf39/f38AYAt/f39/f39/f39/fwF/YAJ/fwF9YAN/fX8AYAd/f39/f39/AX9gBn9/f39/fwF/YAh/f39/f39/fwF/YAN/f38BfWALf39/f31/f39/f38Bf2AEf39/fQBgBH9/fX8BfWACfX8BfmAEf39/fgF/Ax8eBgEHCAIJAwoECwUMDQQOAQAADwIQERIDABMFFBUWBQMBAAIGDwJ/AUGAiAQLfwBBgIgECwe8AQoGbWVtb3J5AgASa2VybmVsX2dyYXBoX2J5dGVzAAARa2VybmVsX2dyYXBoX2luaXQAAhJrZXJuZWxfZ3JhcGhfY2hlY2sAAxRrZXJuZWxfc2NyYXRjaF9ieXRlcwAGD2tlcm5lbF9xdWFudGlzZQAHDmtlcm5lbF9zY2FuX2k4AAkTa2VybmVsX2dyYXBoX2luc2VydAAOE2tlcm5lbF9ncmFwaF9zZWFyY2gAFgtfX2hlYXBfYmFzZQMBCqU5HiYBAX8jAEHwAGsiAiQAIAJBCGogACABEAEgAkHwAGokACACKQNoC78BAQN+IABCgAE3AzggACACNgIQIAAgATYCCCAAIAGtIgNCAoYiBUK/AXxCwP////8AgyIENwNAIAAgAyAEfEI/fELA/////wGDIgQ3A0ggAEF/IANCBX4gAkEBa61CAoaAIgOnQUBrIANCv////w9WGyIBNgIwIAAgBSACQQF0QQNqrX4gBHxCP3xCQIMiAzcDUCAAIAMgBXxCP3wiA0JAgzcDWCAAIANCP4QgAkEBaq0gAa1+QgKGfEJAgzcDYAtcACAAIAQ2AhQgAEEANgIQIAAgAjYCDCAAQQA2AgggAELXrJ2KEzcDACAA/QwAAAAAAAAAAAAAAAAAAAAA/QsDGCAAIAU2AiggAEEsakEAQTz8CwAgACABIAMQAQu9BwIVfwF+IwBBkAFrIgQkAEEBIQ4CQCABQugAVA0AIAAoAgBB16ydigNHDQAgACgCBEEBRw0AIAAoAgwgAkcNACAAKAIIIgJBAEgNACAAKAIQIgVBAmtBPksNACAAKAIUQQFrQf8fSw0AIARBKGoiAyAAQegA/AoAACADIAIgBRABIAApAzggBCkDYFINACAAKQNAIAQpA2hSDQAgACkDSCAEKQNwUg0AIAApA1AgBCkDeFINACAAKQNYIAQpA4ABUg0AIAApA2AiGCAEKQOIAVINACAAKAIwIgIgBCgCWEcgASAYVHINACAAKAIYIgUgACgCCEsNACAAKAIcIAVLDQAgACgCLCACSw0AIAQgABAEIAQoAhgiC0ECdCEHIAQoAggiDyAEKAIgIglBAnRqQQRqIQIgBEEgaiERIAAoAhghCEF/IQUgBCgCBCIMIQZBACEDA0AgBUEBaiIFIAhHBEAgAigCBCAITw0CIAMgBigCAEEAR2ohAyACKAIAIQogBkEEaiEGIAIgB2ohAiAIIApLDQEMAgsLIAAoAhwgA0cNAAJAIAMEQCAAKAIgIgIgCE8NAiAMIAJBAnRqKAIARQ0CIAQoAhQiBiACai0AACICQcAAcQ0CIAAoAiQgAkEPcUcNAgwBCyAAKAIkDQEgBCgCFCEGCyAEKAIAIgpBEGohEiAPIAlBAnQiE2oiAEEIaiEUIABBBGohFSAEKAIMIRZBACEFA0AgBSAIRgRAQQAhDgwCCyAPIAUgC2xBAnRqIgMgE2oiAigCCCIAIAooAhgiCU8NASACKAIEIgIgCU8NASAVIAAgC2xBAnRqKAIAIAVHDQEgFCACIAtsQQJ0aigCACAFRw0BAkAgBSAGai0AACICQf8BRgRAIAwgBUECdGooAgANAyADKAIAIAAgBUdyDQMMAQsgAkGwAXENAiAMIAVBAnQiA2ooAgBBASACQcAAcSAAIAVHchtFDQIgCigCLCIAIAMgFmooAgAiA0kNAiACQQ9xIgcgACADa0sNAiAHQQFqIRBBACEDA0ACQCADIBBHBH8gBCAFIAMQBSIAKAIAIhcgEiARIAMbKAIATQ0BIAMFIBALIAdNDQQMAgsgAEEEaiEAQQAhAgJAA0AgAkEBaiICIBdLDQECQCAAKAIAIg0gCU8NACAGIA1qLQAAIg1B/wFGDQAgAEEEaiEAIA1BD3EgA0H/AXFPDQELCyADIAdNDQQMAgsgA0EBaiEDDAALAAsgBUEBaiEFDAALAAsgBEGQAWokACAOC3EBAX8gACABNgIAIAAgASABKAI4ajYCBCAAIAEgASgCSGo2AgggACABIAEoAlBqNgIMIAAgASABKAJYajYCECAAIAEgASgCQGo2AhQgACABKAIQIgFBAXQiAjYCICAAIAFBAWo2AhwgACACQQNqNgIYC2AAAn8CfyACRQRAIAAoAhghAiAAQQhqDAELQQAgACgCFCABai0AAEEPcSACSQ0BGiACIAAoAgwgAUECdGooAgBqQQFrIQIgACgCHCEBIABBEGoLKAIAIAEgAmxBAnRqCwsUACAArUIBhkLH8QN8QsD///8/gwvRAgIGfwJ9IAIgAkEfakFgcSIIIAIgCEsbIQkgAkECdCEKA0AgASAHRwRAQwAAAAAhCyACIQUgACEGA0AgBQRAIAYqAgCLIgwgCyALIAxdGyELIAVBAWshBSAGQQRqIQYMAQVBASEFQwAAAAAhDANAIAVBAXEEQCALIAwgCyAMXhshDEEAIQUMAQsLIAQgB0ECdGpDAAAAACAMQwAA/kKVIgsgC0MAAIAAXSIFGzgCAEMAAAAAQwAA/kIgDJUgBRshC0EAIQUgACEGA0AgAiAFRgRAIAIhBQNAIAUgCUYEQCAAIApqIQAgAyAIaiEDIAdBAWohBwwHBSADIAVqQQA6AAAgBUEBaiEFDAELAAsABSADIAVqIAsgBioCAJQiDEMAAAC/QwAAAD8gDEMAAAAAXRuS/AA6AAAgBkEEaiEGIAVBAWohBQwBCwALAAsACwALCwt0AgV/AX0gACgCCCICQQJ0QQRrIQEDfyACQQFNBH8gACgCCAUgACgCBCIDIAFqIgQqAgAhBiAEIAMqAgA4AgAgACgCACIDIAFqIgQoAgAhBSAEIAMoAgA2AgAgACACQQFrIgIgBiAFEBogAUEEayEBDAELCwuDBQMPfwJ9AX4jAEHAwgBrIgskACAGQR9qQWBxIQ8gBSEQIAJBAUcEQEGAgBAgD25BwP8fcSIGQcAAIAYbIRALIAtBwMAAakEAQYAC/AsAIAhBAnQhGQNAIAUgEUsEQCAFIBAgEWogBSARayAQSRshDiALQcDAAGohEkEAIRMgACEUIAEhFUEAIQYDQCACIAZGBEAgDiERDAMFIAsgCDYCvEAgCyAKIBNqNgK0QCALIAkgE2o2ArBAIAsgEigCADYCuEAgC0EgaiIMIBQgFSoCACAPEAogCyAGQQBHOgAcIAsgDzYCGCALIA82AhQgCyAENgIQIAsgAzYCDCALIAw2AgggESEMQwAAwH8hGiALQbDAAGoiDSgCCCANKAIMRgRAIA0oAgQqAgAhGgsgC0EIaiEYA0ACQAJAIAwgDkkEQCAOIAxBQGsgDiAMa0HAAEkbIRYgB0EAIAcgDCAOEBciHHtC8ACDUBtFBEAgDCAWIAwgFksbIRcDQCAMIBdGDQMCQCAcQgGDUCAYIAwQCyIbIBpfcg0AIA0gGyAMEAxDAADAfyEaIA0oAgggDSgCDEcNACANKAIEKgIAIRoLIBxCAYghHCAMQQFqIQwMAAsACwNAIBxQDQICQCAYIAwgHHqnaiIXEAsiGyAaXw0AIA0gGyAXEAxDAADAfyEaIA0oAgggDSgCDEcNACANKAIEKgIAIRoLIBxCAX0gHIMhHAwACwALDAELIBYhDAwBCwsgEgJ/IAUgDkYEQCANEAgMAQsgCygCuEALNgIAIBMgGWohEyASQQRqIRIgDyAUaiEUIBVBBGohFSAGQQFqIQYMAQsACwALCyALQcDCAGokACALKALAQAtGAQF/IABBDGohBANAIAMEQCAEIAEsAAA7AQAgAUEBaiEBIARBAmohBCADQQFrIQMMAQUgACACOAIEIAAgAEEMajYCAAsLCysBAX8gACgCACAAKAIEIAAoAgwiAiABbGogACgCCCABQQJ0aioCACACEBsL5AECBn8BfQJAIAAoAggiAyAAKAIMRgRAIAAoAgQqAgAiCSABXUUEQCABIAlcDQIgACgCACgCACACTQ0CCyAAIAMgASACEBoPCyAAIANBAWo2AggDQAJAIANFBEAgACgCACEEIAAoAgQhBQwBCyAAKAIAIgQgA0EBa0EBdiIHQQJ0IghqKAIAIQYgCCAAKAIEIgVqKgIAIgkgAV5FIAIgBk0gASAJXHJxDQAgBCADQQJ0IgNqIAY2AgAgAyAFaiAJOAIAIAchAwwBCwsgBCADQQJ0IgBqIAI2AgAgACAFaiABOAIACwsoACAAQRB2IABzQa3qrP8HbCIAQQ92IABzQYvNsqN4bCIAQRB2IABzC+8NAyJ/A34BfSMAQUBqIggkACAIQRhqIAAQBCAIIAI2AgwgCCABNgIIIAggACgCDEEfakFgcSIWNgIQIAZBoJACaiEiIAZBCGohHSAGQZCAAmohIyAGQezwAmohJCAGQfiwA2ohHiAGQeCwAmohFCAIKAIYIhdBEGohHyAIKAIgIAgoAjhBAnRqIiBBBGohJSAgQQhqISYgCEE4aiEnIAgoAjAhGCAIKAIsIRkgCCgCHCEaA0ACQCAFIBVHBEAgAyAVQQJ0IgdqKAIAIg0gACgCCEkNASAVIQULIAhBQGskACAFDwsgCCgCGCgCGCEJA0AgCSANTQRAIAlBAnQiCiAIKAIcakEANgIAIAgoAiwgCWpB/wE6AAAgCCgCJCAKakEANgIAIAgoAiAiCiAIKAIwIAlsQQJ0akEANgIAIAogCCgCMCAJbEECdGogCCgCOEECdGogCTYCCCAKIAgoAjAgCWxBAnRqIAgoAjhBAnRqIAk2AgQgCCgCGCIKIAooAhhBAWoiCTYCGAwBCwsgGiANQQJ0IglqIiEoAgAhCiAhIAQgB2ooAgA2AgACQCAKDQAgDSAZaiIQLQAAQf8BRgRAIAA1AhAhKiANQQFqEA0gACgCKHMQDa0hK0KAgICAECEpQX8hBwNAAkAgKSAqgCEpIAdBAWoiB0EOSw0AICkgK1YNAQsLIAgoAiwgDWogB0EAIAcgCCgCGCIKKAIwIAooAixrTRsiBzoAACAIKAIkIA1BAnRqIAooAiw2AgAgCiAKKAIsIAdqNgIsC0EAIQcDQCAQLQAAQQ9xIAdJBEAgACAAKAIcIgpBAWo2AhwCQCAKRQ0AIBcoAiQhByAQLQAAIQsgFCAIQQhqIgwgDRAPIAIgCWohESABIA0gFmxqIQogBiANQQF0akGE8QNqIRsgCEEYaiAMIBQgC0EPcSIJIAcgByAJSxsiCRAQIQcgCUEBaiIoIQ4CQANAIA5FBEBBACEOICIhCgNAIA4gKEYNAyAGIA5BhAJsaiIbQaCQAmohEkEAIQsgCEEYaiANIA4QBSEJIAohDANAIBIoAgAiByALTwRAIAkgDCgCADYCACAMQQRqIQwgCUEEaiEJIAtBAWohCwwBCwsgHyAnIA4bIRxBASEJA0AgByAJSQRAIApBhAJqIQogDkEBaiEODAIFAkAgCEEYaiAbIAlBAnRqQaCQAmooAgAiESAOEAUiDEUNACAMQQRqIQcgDCgCACEPQQAhCwNAIA8gC0EBaiILTwRAIAcoAgAhEyAHQQRqIQcgDSATRw0BCwsgCyAPTQ0AIAwoAgAiByAcKAIAIhNJBEAgDCAHQQFqIgc2AgAgDCAHQQJ0aiANNgIADAELICQgCEEIaiAREA8gDEEEaiELQQEhB0EAIQ8DQCAMKAIAIAdJBEAgDCAIQQhqIgcgIyAGIAcgDyANEBEgEyAMQQRqIB4QEjYCAAUCQCAaIAsoAgAiEUECdGooAgBFDQAgESAZai0AAEHAAHENACAGIAhBCGogDyAREBEhDwsgC0EEaiELIAdBAWohBwwBCwsLIAlBAWohCSASKAIAIQcMAQsACwALAAsgBiAXKAIIEBMgGyAGKAIAOwEAQQAhDCAIQRhqIAhBCGogFCAHIA5BAWsiDiAXKAIUIAZBABAUIQcgBikDCCEqIB0hCwJAA0AgBwRAAkAgGiALKQMAIimnQX9zQQF2IglBAnRqKAIARQ0AIAkgGWotAABBwABxDQAgBiAMQQN0aiApNwMIIAxBAWohDAsgB0EBayEHIAtBCGohCwwBBQJAIA4NAEEAIQ8gFCAIQQhqIA0QFSEsA0AgDCAPRg0BAkAgLCAGIA9BA3RqKQMIIilCIIinIgdB/////wdxIAdBf3MgKUIAUxu+XA0AIAIgKadBf3NBAXYiEkECdGoqAgAgESoCAFwNACABIBIgFmxqIQsgFiEHIAohCQNAIAdFDQYgB0EBayEHIAstAAAhHCAJLQAAIAlBAWohCSALQQFqIQsgHEYNAAsLIA9BAWohDwwACwALCwsgKqdBf3NBAXYhByAGIA5BhAJsaiIJQaCQAmogCEEIaiAdIAwgHygCACAJQaSQAmogHhASNgIADAELCyAmIBIgGGxBAnRqIgcoAgAhCiAQIBAtAABBwAByOgAAICAgDSAYbEECdGoiCSASNgIEIAkgCjYCCCAHIA02AgAgJSAKIBhsQQJ0aiANNgIACyAAKAIcQQJJDQAgISgCAEUNAyAQLQAAIgpBwABxDQMgACgCJCAKQQ9xTw0DCyAAIA02AiAgACAQLQAAQQ9xNgIkBSAIQRhqIA0gBxAFQQA2AgAgB0EBaiEHDAELCwsgFUEBaiEVDAALAAsmACAAIAEoAgAgASgCCCIAIAJsaiABKAIEIAJBAnRqKgIAIAAQCgvTAQIKfwN9IAIgASAAKAIAIgUoAiAiBhAVIQ8gBSgCJCEHA0AgAyAHSQRAQQEhBANAIARBAXFFBEAgB0EBayEHDAMLIAAgBiAHEAUiCkEEaiEIQQEhBEEAIQtBACEJIA8hDiAGIQUDQAJAIAoEQCAEIAooAgBNDQEgCSELIA4hDyAFIQYLIAtBAXEhBAwCCyACIAEgCCgCACINEBUiECAOIA4gEF0iDBshDiANIAUgDBshBUEBIAkgDBshCSAIQQRqIQggBEEBaiEEDAALAAsACwsgBgsnACAAQZCAAmogAkGBAiAAQezwAmogASADEBUgAxAcEB0aIAJBAWoLtAEDBn8BfgF9A0AgAiAITSADIAZNckUEQEEBIQkgBSAAIAEgCEEDdGopAwAiDKdBf3NBAXYiCxAPIAxCIIinIgdB/////wdxIAdBf3MgDEIAUxu+IQ1BACEKIAQhBwNAIAYgCksgCXEEQCAFIAAgBygCABAVIA1dIQkgB0EEaiEHIApBAWohCgwBBSAJBEAgBCAGQQJ0aiALNgIAIAZBAWohBgsgCEEBaiEIDAMLAAsACwsgBgtlAQF/IAEgACgCBCICSwRAIAAgATYCBCABIQILIAAgACgCACIBQQFqNgIAIAFB//8DTwRAIABBhPEDaiEBA0AgAgRAIAFBADsBACABQQJqIQEgAkEBayECDAEFIABBATYCAAsLCwv9AwMKfwF9AX4jAEGABGsiDCQAIAIgASADEBUhEiAGIANBAXRqQYTxA2ogBigCADsBACAGIBIgAxAcNwMIIAcEQCAHIAAgAyASEBkLIAZBCGoiDiAFQQN0akEIayEPQQEhAwNAIAogAyADIApJGyEIIA4gCkEDdGohCQNAAkAgCCAKRgRAIAghCgwBCyAJLQAAQQFxRQ0AIAlBCGohCSAKQQFqIQoMAQsLAkAgAyAKRwRAIAYgCkEDdGoiCCAIKQMIIhNCAYQ3AwggACATp0F/c0EBdiAEEAUiCEUEQEEAIQkMAgsgCEEEaiELIAgoAgAhCEEAIQkDQCAIRQ0CIAYgCygCACIQQQF0akGE8QNqIg0vAQAhESANIAYoAgAiDTsBACANIBFHBEAgDCAJQQJ0aiAQNgIAIAlBAWohCQsgC0EEaiELIAhBAWshCAwACwALIAxBgARqJAAgAw8LIAwhCANAIAlFDQEgAiABIAgoAgAiCxAVIRICQCAHRQ0AIAcoAgggBygCDEYEQCASIAcoAgQqAgBdDQELIAcgACALIBIQGQsgEiALEBwhEwJ/AkAgAyAFRw0AIA81AgQgE0IgiFQNACAFDAELIA4gAyAFIBMQHSILIAogCiALSxshCiADIAMgBUlqCyEDIAhBBGohCCAJQQFrIQkMAAsACwALJgAgACABKAIAIAEoAggiACACbGogASgCBCACQQJ0aioCACAAEBsLlwQCAX8CfiMAQdAAayILJAACf0EAIAAoAhxFDQAaIAtBKGogABAEIAsgAjYCHCALIAE2AhggCyAAKAIMQR9qQWBxIgI2AiAgCyAHNgIQIAsgBTYCDEEAIQEgC0EANgIIIAsgCTYCBCALIAg2AgAgCkHgsAJqIgggAyAEIAIQCgJAIAdFDQAgACgCGCECA0AgASACTwRAIAatIg1CBIYgDFQEQEKAICACrSANfiAMgCIMIAxCgCBaG6chBgwDCwUgByABIAIQF3sgDHwhDCABQcAAIAIgAWsiAyADQcAATxtqIQEMAQsLIAtBKGogC0EYaiAIIAsQGAwBCyALQShqIgEgC0EYaiIDIAhBABAQIQkgCiAAKAIIEBMCQCAHRQRAIApBCGohAiABIAMgCCAJQQAgBiAKQQAQFCEHQQAhA0EAIQEDQCABIAdJIAMgBUlxBEAgCyALQShqIAIpAwAiDKdBf3NBAXYgDEIgiKciA0H/////B3EgA0F/cyAMQgBTG74QGSACQQhqIQIgAUEBaiEBIAsoAgghAwwBBSADIAUgACgCHCIBIAEgBUsbRg0DIAtBADYCCCAKIAAoAggQEwsLCyALQShqIgEgC0EYaiICIAggCUEAIAYgCiALEBQaIAsoAgggBSAAKAIcIgAgACAFSxtGDQAgC0EANgIIIAEgAiAIIAsQGAwBCyALEAgLIAtB0ABqJAALNAEBfkJ/IQMgAARAIAAgAUEDdmopAAAhAwsgA0J/Qn8gAiABayIArYZCf4UgAEHAAE8bgwuAAQIDfwF+IAAoAgAoAhghBgNAIAQgBkkEQCADKAIQIAQgBhAXIQcDQCAHUARAIARBwAAgBiAEayIFIAVBwABPG2ohBAwDCyAAKAIEIAQgB3qnaiIFQQJ0aigCAARAIAMgAiABIAUQFSAFEAwLIAdCAX0gB4MhBwwACwALCyADEAgLkwEBAn8gASgCBCACQQJ0aigCAAR/IAEoAhQgAmotAABBwABxBUEBC0UEQCACIQQDQAJAIAEoAgQgBEECdGooAgBFDQAgACgCECIFBEAgBSAEQQN2ai0AACAEQQdxdkEBcUUNAQsgACADIAQQDAsgASgCCCABKAIYIARsQQJ0aiABKAIgQQJ0aigCCCIEIAJHDQALCwv+AQIHfwJ9QQEhBANAAkAgASAETQRAIAAoAgAhBSAAKAIEIQYMAQsgACgCBCEGAkACQCABIARBAWoiB00EQCAAKAIAIQUMAQsgACgCACEFIAYgB0ECdCIJaioCACILIAYgBEECdCIKaioCACIMXQ0BIAsgDFwNACAFIAlqKAIAIAUgCmooAgBLDQELIAQhBwsgBSAHQQJ0IglqKAIAIQQgBiAJaioCACILIAJdRSADIARPIAIgC1xycQ0AIAUgCEECdCIIaiAENgIAIAYgCGogCzgCACAHQQF0QQFyIQQgByEIDAELCyAFIAhBAnQiAGogAzYCACAAIAZqIAI4AgALhwECAnsDfyAAQRxqIQYDQCADIAdLBEAgASAHaiII/QEAACAGQRBr/QAAAP26ASAE/a4BIQQgB0EQaiEHIAhBCGr9AQAAIAb9AAAA/boBIAX9rgEhBSAGQSBqIQYMAQsLIAAqAgQgApQgBSAE/a4BIgT9GwAgBP0bAWogBP0bAmogBP0bA2qylAszAQF/IABDAAAAAJK8IgJBf3MgAkGAgICAeHIgAkEASButQiCGQf////8HIAFrrUIBhoQLbwEEfyABIQUDQCAEIAVJBEAgBCAFakEBdiIGQQFqIAQgACAGQQN0aikDACADViIHGyEEIAUgBiAHGyEFDAELCyAAIARBA3RqIgBBCGogACABIAJBAWsgASACSRsgBGtBA3T8CgAAIAAgAzcDACAECw==";

var batch = 256;
var results_max = 4096;
async function openModule() {
  const bytes = Uint8Array.from(atob(micro_base64), (letter) => letter.charCodeAt(0));
  const { instance } = await WebAssembly.instantiate(bytes);
  return instance.exports;
}
function layOut(micro, { dim, capacity, degree }) {
  let end = micro.__heap_base.value;
  const take = (bytes) => {
    const at = Math.ceil(end / 64) * 64;
    end = at + bytes;
    return at;
  };
  const stride = dim + 31 & ~31;
  const graph_bytes = Number(micro.kernel_graph_bytes(capacity, degree));
  const layout = {
    stride,
    rows: take(capacity * stride),
    scales: take(capacity * 4),
    allow: take(bitmapBytes(capacity)),
    vector: take(dim * 4),
    query: take(stride),
    query_scale: take(4),
    ids: take(results_max * 4),
    scores: take(results_max * 4),
    nodes: take(batch * 4),
    keys: take(batch * 4),
    graph: take(graph_bytes),
    graph_bytes,
    scratch: take(Number(micro.kernel_scratch_bytes(capacity, dim, results_max)))
  };
  const pages = Math.ceil(end / 65536);
  if (pages > 65535)
    throw new RangeError("An index takes 4 GiB at most: fewer vectors, or shorter ones.");
  const missing = pages - micro.memory.buffer.byteLength / 65536;
  if (missing > 0)
    micro.memory.grow(missing);
  return layout;
}
var bitmapBytes = (rows) => Math.ceil(rows / 64) * 8;

var magic = 826889815;
var header_words = 10;
function toSaved({
  shape,
  count,
  linked,
  rows,
  scales,
  allow,
  graph
}) {
  const { dim, capacity, degree, breadth } = shape;
  const header = Uint32Array.of(magic, 1, dim, capacity, degree, breadth, count, linked, graph.length, 0);
  const parts = [new Uint8Array(header.buffer), rows, scales, allow, graph];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}
function parseSaved(bytes) {
  const wrong = (what) => new RangeError(`That is no saved index: ${what}.`);
  if (bytes.length < header_words * 4)
    throw wrong("it is too short");
  const header = new Uint32Array(bytes.slice(0, header_words * 4).buffer);
  const [found, version, dim, capacity, degree, breadth, count, linked, graph_bytes] = [...header];
  if (found !== magic || version !== 1)
    throw wrong("it is of another kind or version");
  if (count > capacity || linked > count)
    throw wrong("it has more vectors than room");
  const lengths = [count * (dim + 31 & ~31), count * 4, bitmapBytes(count), graph_bytes];
  if (lengths.reduce((sum, length) => sum + length, header_words * 4) !== bytes.length)
    throw wrong("it is cut or longer than it says");
  let end = header_words * 4;
  const [rows, scales, allow, graph] = lengths.map((length) => {
    end += length;
    return bytes.subarray(end - length, end);
  });
  for (const scale of new Float32Array(scales.slice().buffer))
    if (!(scale >= 0 && scale < 100000000000000000))
      throw wrong("a scale is no number");
  const last = new Uint8Array(allow.slice(Math.floor(count / 64) * 8));
  for (let bit = count % 64;bit < last.length * 8; bit++)
    if (last[bit >> 3] >> (bit & 7) & 1)
      throw wrong("it has bits beyond its vectors");
  const shape = { dim, capacity, degree, breadth };
  return { shape, count, linked, rows, scales, allow, graph };
}

async function openIndex({ dim, capacity, degree = 16, breadth = 200 }) {
  const shape = { dim, capacity, degree, breadth };
  checkShape(shape);
  return indexOf(await openModule(), shape);
}
async function loadIndex(bytes) {
  const saved = parseSaved(bytes);
  checkShape(saved.shape);
  return indexOf(await openModule(), saved.shape, saved);
}
function checkShape({ dim, capacity, degree, breadth }) {
  checkInteger("dim", dim, 1, 4096);
  checkInteger("capacity", capacity, 1, 2 ** 26);
  checkInteger("degree", degree, 2, 64);
  checkInteger("breadth", breadth, 1, 4096);
}
function checkInteger(name, value, least, most) {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}.`);
}
function indexOf(micro, shape, saved) {
  const { dim, capacity, degree, breadth } = shape;
  const at = layOut(micro, shape);
  const { buffer } = micro.memory;
  const allow = new Uint8Array(buffer, at.allow, bitmapBytes(capacity));
  const state = { count: 0, linked: 0, removed: 0 };
  if (saved)
    Object.assign(state, restore(micro, at, saved));
  else
    micro.kernel_graph_init(at.graph, capacity, dim, degree, breadth, 1);
  const isThere = (id) => (allow[id >> 3] >> (id & 7) & 1) === 1;
  return {
    dim,
    capacity,
    get count() {
      return state.count;
    },
    get unlinked() {
      return state.count - state.linked;
    },
    add(vector) {
      if (state.count === capacity)
        throw new RangeError(`The index is full: it has room for ${capacity}.`);
      put(buffer, at.vector, vector, dim);
      const id = state.count++;
      micro.kernel_quantise(at.vector, 1, dim, at.rows + id * at.stride, at.scales + id * 4);
      allow[id >> 3] |= 1 << (id & 7);
      return id;
    },
    remove(id) {
      if (!Number.isInteger(id) || id < 0 || id >= state.count || !isThere(id))
        return false;
      allow[id >> 3] &= ~(1 << (id & 7));
      state.removed++;
      return true;
    },
    link(most = capacity) {
      const end = Math.min(state.count, state.linked + most);
      while (state.linked < end) {
        const next = Math.min(end, state.linked + batch);
        linkRows(micro, at, ids(state.linked, next).filter(isThere));
        state.linked = next;
      }
      return state.count - state.linked;
    },
    search(query, k, { exact = false, breadth: wide = Math.max(64, k) } = {}) {
      checkInteger("k", k, 1, results_max);
      checkInteger("breadth", wide, k, results_max);
      put(buffer, at.vector, query, dim);
      micro.kernel_quantise(at.vector, 1, dim, at.query, at.query_scale);
      const linked = exact ? 0 : state.linked;
      const allowed = state.removed > 0 ? at.allow : everything;
      const near = linked > 0 ? searchGraph(micro, at, allowed, k, wide) : [];
      const rest = linked < state.count ? scan(micro, at, allowed, dim, linked, state.count, k) : [];
      return best([...near, ...rest], k);
    },
    save() {
      const { count, linked } = state;
      const part = (from, bytes) => new Uint8Array(buffer, from, bytes);
      return toSaved({
        shape,
        count,
        linked,
        rows: part(at.rows, count * at.stride),
        scales: part(at.scales, count * 4),
        allow: part(at.allow, bitmapBytes(count)),
        graph: part(at.graph, linked > 0 ? at.graph_bytes : 0)
      });
    }
  };
}
var everything = 0;
var ids = (from, end) => Array.from({ length: end - from }, (_, i) => from + i);
function put(buffer, to, vector, dim) {
  if (vector.length !== dim)
    throw new RangeError(`A vector has ${dim} numbers, this one has ${vector.length}.`);
  for (let i = 0;i < dim; i++)
    if (!(Math.abs(vector[i]) <= 100000000000000000))
      throw new RangeError(`A vector's numbers are from -1e17 to 1e17; number ${i} is ${vector[i]}.`);
  new Float32Array(buffer, to, dim).set(vector);
}
function linkRows(micro, at, rows) {
  const { buffer } = micro.memory;
  new Uint32Array(buffer, at.nodes, rows.length).set(rows);
  new Uint32Array(buffer, at.keys, rows.length).set(rows.map((row) => row + 1));
  micro.kernel_graph_insert(at.graph, at.rows, at.scales, at.nodes, at.keys, rows.length, at.scratch);
}
function searchGraph(micro, at, allow, k, breadth) {
  const scale = new Float32Array(micro.memory.buffer, at.query_scale, 1)[0];
  const count = micro.kernel_graph_search(at.graph, at.rows, at.scales, at.query, scale, k, breadth, allow, at.ids, at.scores, at.scratch);
  return hits(micro, at, count, 0);
}
function scan(micro, at, allow, dim, from, end, k) {
  const first = from - from % 64;
  const count = micro.kernel_scan_i8(at.query, at.query_scale, 1, at.rows + first * at.stride, at.scales + first * 4, end - first, dim, allow === everything ? everything : allow + first / 8, k, at.ids, at.scores);
  return hits(micro, at, count, first);
}
function hits(micro, at, count, first) {
  const found = new Uint32Array(micro.memory.buffer, at.ids, count);
  const scores = new Float32Array(micro.memory.buffer, at.scores, count);
  return Array.from(found, (id, index) => ({ id: id + first, score: scores[index] }));
}
function best(found, k) {
  const sorted = found.toSorted((a, b) => b.score - a.score || a.id - b.id);
  return sorted.filter(({ id }, index) => id !== sorted[index - 1]?.id).slice(0, k);
}
function restore(micro, at, { count, linked, rows, scales, allow, graph, shape }) {
  const bytes = new Uint8Array(micro.memory.buffer);
  bytes.set(rows, at.rows);
  bytes.set(scales, at.scales);
  bytes.set(allow, at.allow);
  const state = { count, linked, removed: count - onesOf(allow) };
  if (linked === 0) {
    micro.kernel_graph_init(at.graph, shape.capacity, shape.dim, shape.degree, shape.breadth, 1);
    return state;
  }
  bytes.set(graph, at.graph);
  const header = new Uint32Array(micro.memory.buffer, at.graph, 7);
  const fits = header[2] === shape.capacity && header[6] <= count && header[4] === shape.degree && graph.length === at.graph_bytes;
  if (!fits || micro.kernel_graph_check(at.graph, BigInt(at.graph_bytes), shape.dim) !== 0)
    throw new RangeError("That is no saved index: its graph is damaged.");
  return state;
}
function onesOf(bitmap) {
  let count = 0;
  for (const byte of bitmap)
    for (let bits = byte;bits > 0; bits &= bits - 1)
      count++;
  return count;
}
export {
  loadIndex,
  micro_bytes,
  openIndex
};
