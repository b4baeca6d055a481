/** A thread of the SDK: programs run in here, and ask the main one for their files. */
import "../../../node_modules/@wasmer/sdk/dist/browser-worker.js"
