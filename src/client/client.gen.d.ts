/** The gateway imports the file as text, to serve it; programs get its types from client.ts. */
declare const text: string
export default text
