export { serveEngine } from './serve.ts'
