/** The little of WebAssembly that is used here; this folder knows neither Node nor a browser. */
declare namespace WebAssembly {
  class Module {
    constructor(code: Uint8Array);
    readonly isModule: true;
  }
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: object;
  }
}
