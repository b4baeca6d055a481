var micro_bytes = 7717;
var micro_base64 = "AGFzbQEAAAABxAEYYAN/f38AYAJ/fwBgA39/fwF+YAF/AX9gBH9/fX8AYAJ/fwF+YAZ/f39/f38AYAN/fn8Bf2ADf39/AX9gBX9/f39/AGALf39/f39/f39/f38Bf2ACf38BfWADf31/AGAHf39/f39/fwF/YAV/f39/fwF/YAR/f39/AX9gBn9/f39/fwF/YAh/f39/f39/fwF/YAN/f38BfWALf39/f31/f39/f38Bf2AEf39/fQBgBH9/fX8BfWACfX8BfmAEf39/fgF/Ax4dBQAGBwEIAgkDCgQLDAMNAA4PEAEREhMCFAQVFhcFAwEAAgYPAn8BQYCIBAt/AEGAiAQLB7wBCgZtZW1vcnkCABJrZXJuZWxfZ3JhcGhfYnl0ZXMAABFrZXJuZWxfZ3JhcGhfaW5pdAACEmtlcm5lbF9ncmFwaF9jaGVjawADFGtlcm5lbF9zY3JhdGNoX2J5dGVzAAYPa2VybmVsX3F1YW50aXNlAAcOa2VybmVsX3NjYW5faTgACRNrZXJuZWxfZ3JhcGhfaW5zZXJ0AA4Ta2VybmVsX2dyYXBoX3NlYXJjaAAWC19faGVhcF9iYXNlAwEK3jgdJgEBfyMAQfAAayICJAAgAkEIaiAAIAEQASACQfAAaiQAIAIpA2gLvwEBA34gAEKAATcDOCAAIAI2AhAgACABNgIIIAAgAa0iA0IChiIFQr8BfELA/////wCDIgQ3A0AgACADIAR8Qj98QsD/////AYMiBDcDSCAAQX8gA0IFfiACQQFrrUIChoAiA6dBQGsgA0K/////D1YbIgE2AjAgACAFIAJBAXRBA2qtfiAEfEI/fEJAgyIDNwNQIAAgAyAFfEI/fCIDQkCDNwNYIAAgA0I/hCACQQFqrSABrX5CAoZ8QkCDNwNgC1wAIAAgBDYCFCAAQQA2AhAgACACNgIMIABBADYCCCAAQtesnYoTNwMAIAD9DAAAAAAAAAAAAAAAAAAAAAD9CwMYIAAgBTYCKCAAQSxqQQBBPPwLACAAIAEgAxABC70HAhV/AX4jAEGQAWsiBCQAQQEhDgJAIAFC6ABUDQAgACgCAEHXrJ2KA0cNACAAKAIEQQFHDQAgACgCDCACRw0AIAAoAggiAkEASA0AIAAoAhAiBUECa0E+Sw0AIAAoAhRBAWtB/x9LDQAgBEEoaiIDIABB6AD8CgAAIAMgAiAFEAEgACkDOCAEKQNgUg0AIAApA0AgBCkDaFINACAAKQNIIAQpA3BSDQAgACkDUCAEKQN4Ug0AIAApA1ggBCkDgAFSDQAgACkDYCIYIAQpA4gBUg0AIAAoAjAiAiAEKAJYRyABIBhUcg0AIAAoAhgiBSAAKAIISw0AIAAoAhwgBUsNACAAKAIsIAJLDQAgBCAAEAQgBCgCGCILQQJ0IQcgBCgCCCIPIAQoAiAiCUECdGpBBGohAiAEQSBqIREgACgCGCEIQX8hBSAEKAIEIgwhBkEAIQMDQCAFQQFqIgUgCEcEQCACKAIEIAhPDQIgAyAGKAIAQQBHaiEDIAIoAgAhCiAGQQRqIQYgAiAHaiECIAggCksNAQwCCwsgACgCHCADRw0AAkAgAwRAIAAoAiAiAiAITw0CIAwgAkECdGooAgBFDQIgBCgCFCIGIAJqLQAAIgJBwABxDQIgACgCJCACQQ9xRw0CDAELIAAoAiQNASAEKAIUIQYLIAQoAgAiCkEQaiESIA8gCUECdCITaiIAQQhqIRQgAEEEaiEVIAQoAgwhFkEAIQUDQCAFIAhGBEBBACEODAILIA8gBSALbEECdGoiAyATaiICKAIIIgAgCigCGCIJTw0BIAIoAgQiAiAJTw0BIBUgACALbEECdGooAgAgBUcNASAUIAIgC2xBAnRqKAIAIAVHDQECQCAFIAZqLQAAIgJB/wFGBEAgDCAFQQJ0aigCAA0DIAMoAgAgACAFR3INAwwBCyACQbABcQ0CIAwgBUECdCIDaigCAEEBIAJBwABxIAAgBUdyG0UNAiAKKAIsIgAgAyAWaigCACIDSQ0CIAJBD3EiByAAIANrSw0CIAdBAWohEEEAIQMDQAJAIAMgEEcEfyAEIAUgAxAFIgAoAgAiFyASIBEgAxsoAgBNDQEgAwUgEAsgB00NBAwCCyAAQQRqIQBBACECAkADQCACQQFqIgIgF0sNAQJAIAAoAgAiDSAJTw0AIAYgDWotAAAiDUH/AUYNACAAQQRqIQAgDUEPcSADQf8BcU8NAQsLIAMgB00NBAwCCyADQQFqIQMMAAsACyAFQQFqIQUMAAsACyAEQZABaiQAIA4LcQEBfyAAIAE2AgAgACABIAEoAjhqNgIEIAAgASABKAJIajYCCCAAIAEgASgCUGo2AgwgACABIAEoAlhqNgIQIAAgASABKAJAajYCFCAAIAEoAhAiAUEBdCICNgIgIAAgAUEBajYCHCAAIAJBA2o2AhgLYAACfwJ/IAJFBEAgACgCGCECIABBCGoMAQtBACAAKAIUIAFqLQAAQQ9xIAJJDQEaIAIgACgCDCABQQJ0aigCAGpBAWshAiAAKAIcIQEgAEEQagsoAgAgASACbEECdGoLCxQAIACtQgGGQsfxA3xCwP///z+DC9ECAgZ/An0gAiACQR9qQWBxIgggAiAISxshCSACQQJ0IQoDQCABIAdHBEBDAAAAACELIAIhBSAAIQYDQCAFBEAgBioCAIsiDCALIAsgDF0bIQsgBUEBayEFIAZBBGohBgwBBUEBIQVDAAAAACEMA0AgBUEBcQRAIAsgDCALIAxeGyEMQQAhBQwBCwsgBCAHQQJ0akMAAAAAIAxDAAD+QpUiCyALQwAAgABdIgUbOAIAQwAAAABDAAD+QiAMlSAFGyELQQAhBSAAIQYDQCACIAVGBEAgAiEFA0AgBSAJRgRAIAAgCmohACADIAhqIQMgB0EBaiEHDAcFIAMgBWpBADoAACAFQQFqIQUMAQsACwAFIAMgBWogCyAGKgIAlCIMQwAAAL9DAAAAPyAMQwAAAABdG5L8ADoAACAGQQRqIQYgBUEBaiEFDAELAAsACwALAAsLC3QCBX8BfSAAKAIIIgJBAnRBBGshAQN/IAJBAU0EfyAAKAIIBSAAKAIEIgMgAWoiBCoCACEGIAQgAyoCADgCACAAKAIAIgMgAWoiBCgCACEFIAQgAygCADYCACAAIAJBAWsiAiAGIAUQGSABQQRrIQEMAQsLC4MFAw9/An0BfiMAQcDCAGsiCyQAIAZBH2pBYHEhDyAFIRAgAkEBRwRAQYCAECAPbkHA/x9xIgZBwAAgBhshEAsgC0HAwABqQQBBgAL8CwAgCEECdCEZA0AgBSARSwRAIAUgECARaiAFIBFrIBBJGyEOIAtBwMAAaiESQQAhEyAAIRQgASEVQQAhBgNAIAIgBkYEQCAOIREMAwUgCyAINgK8QCALIAogE2o2ArRAIAsgCSATajYCsEAgCyASKAIANgK4QCALQSBqIgwgFCAVKgIAIA8QCiALIAZBAEc6ABwgCyAPNgIYIAsgDzYCFCALIAQ2AhAgCyADNgIMIAsgDDYCCCARIQxDAADAfyEaIAtBsMAAaiINKAIIIA0oAgxGBEAgDSgCBCoCACEaCyALQQhqIRgDQAJAAkAgDCAOSQRAIA4gDEFAayAOIAxrQcAASRshFiAHQQAgByAMIA4QFyIce0LwAINQG0UEQCAMIBYgDCAWSxshFwNAIAwgF0YNAwJAIBxCAYNQIBggDBALIhsgGl9yDQAgDSAbIAwQDEMAAMB/IRogDSgCCCANKAIMRw0AIA0oAgQqAgAhGgsgHEIBiCEcIAxBAWohDAwACwALA0AgHFANAgJAIBggDCAceqdqIhcQCyIbIBpfDQAgDSAbIBcQDEMAAMB/IRogDSgCCCANKAIMRw0AIA0oAgQqAgAhGgsgHEIBfSAcgyEcDAALAAsMAQsgFiEMDAELCyASAn8gBSAORgRAIA0QCAwBCyALKAK4QAs2AgAgEyAZaiETIBJBBGohEiAPIBRqIRQgFUEEaiEVIAZBAWohBgwBCwALAAsLIAtBwMIAaiQAIAsoAsBAC0YBAX8gAEEMaiEEA0AgAwRAIAQgASwAADsBACABQQFqIQEgBEECaiEEIANBAWshAwwBBSAAIAI4AgQgACAAQQxqNgIACwsLKwEBfyAAKAIAIAAoAgQgACgCDCICIAFsaiAAKAIIIAFBAnRqKgIAIAIQGgvkAQIGfwF9AkAgACgCCCIDIAAoAgxGBEAgACgCBCoCACIJIAFdRQRAIAEgCVwNAiAAKAIAKAIAIAJNDQILIAAgAyABIAIQGQ8LIAAgA0EBajYCCANAAkAgA0UEQCAAKAIAIQQgACgCBCEFDAELIAAoAgAiBCADQQFrQQF2IgdBAnQiCGooAgAhBiAIIAAoAgQiBWoqAgAiCSABXkUgAiAGTSABIAlccnENACAEIANBAnQiA2ogBjYCACADIAVqIAk4AgAgByEDDAELCyAEIANBAnQiAGogAjYCACAAIAVqIAE4AgALCygAIABBEHYgAHNBreqs/wdsIgBBD3YgAHNBi82yo3hsIgBBEHYgAHML8Q0DIn8DfgF9IwBBQGoiCCQAIAhBGGogABAEIAggAjYCDCAIIAE2AgggCCAAKAIMQR9qQWBxIhY2AhAgBkGgkAJqISIgBkEIaiEdIAZBkIACaiEjIAZB7PACaiEkIAZB+LADaiEeIAZB4LACaiEUIAgoAhgiF0EQaiEfIAgoAiAgCCgCOEECdGoiIEEEaiElICBBCGohJiAIQThqIScgCCgCMCEYIAgoAiwhGSAIKAIcIRoDQAJAIAUgFUcEQCADIBVBAnQiB2ooAgAiDSAAKAIISQ0BIBUhBQsgCEFAayQAIAUPCyAIKAIYKAIYIQkDQCAJIA1NBEAgCUECdCIKIAgoAhxqQQA2AgAgCCgCLCAJakH/AToAACAIKAIkIApqQQA2AgAgCCgCICIKIAgoAjAgCWxBAnRqQQA2AgAgCiAIKAIwIAlsQQJ0aiAIKAI4QQJ0aiAJNgIIIAogCCgCMCAJbEECdGogCCgCOEECdGogCTYCBCAIKAIYIgogCigCGEEBaiIJNgIYDAELCyAaIA1BAnQiCWoiISgCACEKICEgBCAHaigCADYCAAJAIAoNACANIBlqIhAtAABB/wFGBEAgADUCECEqIA1BAWoQDSAAKAIocxANrSErQoCAgIAQISlBfyEHA0ACQCApICqAISkgB0EBaiIHQQ5LDQAgKSArVg0BCwsgCCgCLCANaiAHQQAgByAIKAIYIgooAjAgCigCLGtNGyIHOgAAIAgoAiQgDUECdGogCigCLDYCACAKIAooAiwgB2o2AiwLQQAhBwNAIBAtAABBD3EgB0kEQCAAIAAoAhwiCkEBajYCHAJAIApFDQAgFygCJCEHIBAtAAAhCyAUIAhBCGoiDCANEA8gAiAJaiERIAEgDSAWbGohCiAGIA1BAXRqQYTxA2ohGyAIQRhqIAwgFCALQQ9xIgkgByAHIAlLGyIJIA0QECEHIAlBAWoiKCEOAkADQCAORQRAQQAhDiAiIQoDQCAOIChGDQMgBiAOQYQCbGoiG0GgkAJqIRJBACELIAhBGGogDSAOEAUhCSAKIQwDQCASKAIAIgcgC08EQCAJIAwoAgA2AgAgDEEEaiEMIAlBBGohCSALQQFqIQsMAQsLIB8gJyAOGyEcQQEhCQNAIAcgCUkEQCAKQYQCaiEKIA5BAWohDgwCBQJAIAhBGGogGyAJQQJ0akGgkAJqKAIAIhEgDhAFIgxFDQAgDEEEaiEHIAwoAgAhD0EAIQsDQCAPIAtBAWoiC08EQCAHKAIAIRMgB0EEaiEHIA0gE0cNAQsLIAsgD00NACAMKAIAIgcgHCgCACITSQRAIAwgB0EBaiIHNgIAIAwgB0ECdGogDTYCAAwBCyAkIAhBCGogERAPIAxBBGohC0EBIQdBACEPA0AgDCgCACAHSQRAIAwgCEEIaiIHICMgBiAHIA8gDRARIBMgDEEEaiAeEBI2AgAFAkAgGiALKAIAIhFBAnRqKAIARQ0AIBEgGWotAABBwABxDQAgBiAIQQhqIA8gERARIQ8LIAtBBGohCyAHQQFqIQcMAQsLCyAJQQFqIQkgEigCACEHDAELAAsACwALIAYgFygCCBATIBsgBigCADsBAEEAIQwgCEEYaiAIQQhqIBQgByAOQQFrIg4gFygCFCAGQQAQFCEHIAYpAwghKiAdIQsCQANAIAcEQAJAIBogCykDACIpp0F/c0EBdiIJQQJ0aigCAEUNACAJIBlqLQAAQcAAcQ0AIAYgDEEDdGogKTcDCCAMQQFqIQwLIAdBAWshByALQQhqIQsMAQUCQCAODQBBACEPIBQgCEEIaiANEBUhLANAIAwgD0YNAQJAICwgBiAPQQN0aikDCCIpQiCIpyIHQf////8HcSAHQX9zIClCAFMbvlwNACACICmnQX9zQQF2IhJBAnRqKgIAIBEqAgBcDQAgASASIBZsaiELIBYhByAKIQkDQCAHRQ0GIAdBAWshByALLQAAIRwgCS0AACAJQQFqIQkgC0EBaiELIBxGDQALCyAPQQFqIQ8MAAsACwsLICqnQX9zQQF2IQcgBiAOQYQCbGoiCUGgkAJqIAhBCGogHSAMIB8oAgAgCUGkkAJqIB4QEjYCAAwBCwsgJiASIBhsQQJ0aiIHKAIAIQogECAQLQAAQcAAcjoAACAgIA0gGGxBAnRqIgkgEjYCBCAJIAo2AgggByANNgIAICUgCiAYbEECdGogDTYCAAsgACgCHEECSQ0AICEoAgBFDQMgEC0AACIKQcAAcQ0DIAAoAiQgCkEPcU8NAwsgACANNgIgIAAgEC0AAEEPcTYCJAUgCEEYaiANIAcQBUEANgIAIAdBAWohBwwBCwsLIBVBAWohFQwACwALJgAgACABKAIAIAEoAggiACACbGogASgCBCACQQJ0aioCACAAEAoL0QECCX8DfSACIAEgACgCACIHKAIgIgYQFSEPIAcoAiQhCANAIAMgCEkEQEEBIQUDQCAFQQFxRQRAIAhBAWshCAwDCyAAIAYgCBAFIgpBBGohCUEBIQVBACELQQAhDCAPIQ4gBiEHA0ACQCAKBEAgBSAKKAIATQ0BIAwhCyAOIQ8gByEGCyALQQFxIQUMAgsCQCAJKAIAIg0gBEYNACACIAEgDRAVIhAgDl5FDQBBASEMIBAhDiANIQcLIAlBBGohCSAFQQFqIQUMAAsACwALCyAGCycAIABBkIACaiACQYECIABB7PACaiABIAMQFSADEBsQHBogAkEBagu0AQMGfwF+AX0DQCACIAhNIAMgBk1yRQRAQQEhCSAFIAAgASAIQQN0aikDACIMp0F/c0EBdiILEA8gDEIgiKciB0H/////B3EgB0F/cyAMQgBTG74hDUEAIQogBCEHA0AgBiAKSyAJcQRAIAUgACAHKAIAEBUgDV0hCSAHQQRqIQcgCkEBaiEKDAEFIAkEQCAEIAZBAnRqIAs2AgAgBkEBaiEGCyAIQQFqIQgMAwsACwALCyAGC2UBAX8gASAAKAIEIgJLBEAgACABNgIEIAEhAgsgACAAKAIAIgFBAWo2AgAgAUH//wNPBEAgAEGE8QNqIQEDQCACBEAgAUEAOwEAIAFBAmohASACQQFrIQIMAQUgAEEBNgIACwsLC/0DAwp/AX0BfiMAQYAEayIMJAAgAiABIAMQFSESIAYgA0EBdGpBhPEDaiAGKAIAOwEAIAYgEiADEBs3AwggBwRAIAcgACADIBIQGAsgBkEIaiIOIAVBA3RqQQhrIQ9BASEDA0AgCiADIAMgCkkbIQggDiAKQQN0aiEJA0ACQCAIIApGBEAgCCEKDAELIAktAABBAXFFDQAgCUEIaiEJIApBAWohCgwBCwsCQCADIApHBEAgBiAKQQN0aiIIIAgpAwgiE0IBhDcDCCAAIBOnQX9zQQF2IAQQBSIIRQRAQQAhCQwCCyAIQQRqIQsgCCgCACEIQQAhCQNAIAhFDQIgBiALKAIAIhBBAXRqQYTxA2oiDS8BACERIA0gBigCACINOwEAIA0gEUcEQCAMIAlBAnRqIBA2AgAgCUEBaiEJCyALQQRqIQsgCEEBayEIDAALAAsgDEGABGokACADDwsgDCEIA0AgCUUNASACIAEgCCgCACILEBUhEgJAIAdFDQAgBygCCCAHKAIMRgRAIBIgBygCBCoCAF0NAQsgByAAIAsgEhAYCyASIAsQGyETAn8CQCADIAVHDQAgDzUCBCATQiCIVA0AIAUMAQsgDiADIAUgExAcIgsgCiAKIAtLGyEKIAMgAyAFSWoLIQMgCEEEaiEIIAlBAWshCQwACwALAAsmACAAIAEoAgAgASgCCCIAIAJsaiABKAIEIAJBAnRqKgIAIAAQGgvSBAIBfwJ+IwBB0ABrIgskACAAKAIcBH8gC0EoaiAAEAQgCyACNgIcIAsgATYCGCALIAAoAgxBH2pBYHEiAjYCICALIAc2AhAgCyAFNgIMQQAhASALQQA2AgggCyAJNgIEIAsgCDYCACAKQeCwAmoiCCADIAQgAhAKAkAgBwRAIAAoAhghAgN/IAEgAk8EfyAGrSINQgSGIAxaBEAgCygCKCgCGCEAQQAhAiALKAIsIQMDQCAAIAJNDQUgCygCECACIAAQFyEMA0AgDFAEQEHAACAAIAJrIgEgAUHAAE8bIAJqIQIMAgsgAyACIAx6p2oiAUECdGooAgAEQCALIAggC0EYaiABEBUgARAMCyAMQgF9IAyDIQwMAAsACwALQoAgIAKtIA1+IAyAIgwgDEKAIFobpwUgByABIAIQF3sgDHwhDCABQcAAIAIgAWsiAyADQcAATxtqIQEMAQsLIQYLIAtBKGoiASALQRhqIgMgCEEAQX8QECEJIAogACgCCBATIAdFBEAgCkEIaiECIAEgAyAIIAlBACAGIApBABAUIQdBACEDQQAhAQNAIAEgB0kgAyAFSXEEQCALIAtBKGogAikDACIMp0F/c0EBdiAMQiCIpyIDQf////8HcSADQX9zIAxCAFMbvhAYIAJBCGohAiABQQFqIQEgCygCCCEDDAEFIAMgBSAAKAIcIgEgASAFSxtGDQMgC0EANgIIIAogACgCCBATCwsLIAtBKGogC0EYaiAIIAlBACAGIAogCxAUGgsgCxAIBUEACyALQdAAaiQACzQBAX5CfyEDIAAEQCAAIAFBA3ZqKQAAIQMLIANCf0J/IAIgAWsiAK2GQn+FIABBwABPG4MLkwEBAn8gASgCBCACQQJ0aigCAAR/IAEoAhQgAmotAABBwABxBUEBC0UEQCACIQQDQAJAIAEoAgQgBEECdGooAgBFDQAgACgCECIFBEAgBSAEQQN2ai0AACAEQQdxdkEBcUUNAQsgACADIAQQDAsgASgCCCABKAIYIARsQQJ0aiABKAIgQQJ0aigCCCIEIAJHDQALCwv+AQIHfwJ9QQEhBANAAkAgASAETQRAIAAoAgAhBSAAKAIEIQYMAQsgACgCBCEGAkACQCABIARBAWoiB00EQCAAKAIAIQUMAQsgACgCACEFIAYgB0ECdCIJaioCACILIAYgBEECdCIKaioCACIMXQ0BIAsgDFwNACAFIAlqKAIAIAUgCmooAgBLDQELIAQhBwsgBSAHQQJ0IglqKAIAIQQgBiAJaioCACILIAJdRSADIARPIAIgC1xycQ0AIAUgCEECdCIIaiAENgIAIAYgCGogCzgCACAHQQF0QQFyIQQgByEIDAELCyAFIAhBAnQiAGogAzYCACAAIAZqIAI4AgALhwECAnsDfyAAQRxqIQYDQCADIAdLBEAgASAHaiII/QEAACAGQRBr/QAAAP26ASAE/a4BIQQgB0EQaiEHIAhBCGr9AQAAIAb9AAAA/boBIAX9rgEhBSAGQSBqIQYMAQsLIAAqAgQgApQgBSAE/a4BIgT9GwAgBP0bAWogBP0bAmogBP0bA2qylAszAQF/IABDAAAAAJK8IgJBf3MgAkGAgICAeHIgAkEASButQiCGQf////8HIAFrrUIBhoQLbwEEfyABIQUDQCAEIAVJBEAgBCAFakEBdiIGQQFqIAQgACAGQQN0aikDACADViIHGyEEIAUgBiAHGyEFDAELCyAAIARBA3RqIgBBCGogACABIAJBAWsgASACSRsgBGtBA3T8CgAAIAAgAzcDACAECw==";

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
  const state = { count: 0, linked: 0 };
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
      const near = linked > 0 ? searchGraph(micro, at, k, wide) : [];
      const rest = linked < state.count ? scan(micro, at, dim, linked, state.count, k) : [];
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
function searchGraph(micro, at, k, breadth) {
  const scale = new Float32Array(micro.memory.buffer, at.query_scale, 1)[0];
  const count = micro.kernel_graph_search(at.graph, at.rows, at.scales, at.query, scale, k, breadth, at.allow, at.ids, at.scores, at.scratch);
  return hits(micro, at, count, 0);
}
function scan(micro, at, dim, from, end, k) {
  const first = from - from % 64;
  const count = micro.kernel_scan_i8(at.query, at.query_scale, 1, at.rows + first * at.stride, at.scales + first * 4, end - first, dim, at.allow + first / 8, k, at.ids, at.scores);
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
  if (linked === 0) {
    micro.kernel_graph_init(at.graph, shape.capacity, shape.dim, shape.degree, shape.breadth, 1);
    return { count, linked };
  }
  bytes.set(graph, at.graph);
  const header = new Uint32Array(micro.memory.buffer, at.graph, 7);
  const fits = header[2] === shape.capacity && header[6] <= count && header[4] === shape.degree && graph.length === at.graph_bytes;
  if (!fits || micro.kernel_graph_check(at.graph, BigInt(at.graph_bytes), shape.dim) !== 0)
    throw new RangeError("That is no saved index: its graph is damaged.");
  return { count, linked };
}
export {
  loadIndex,
  micro_bytes,
  openIndex
};
