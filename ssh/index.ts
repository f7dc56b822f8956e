export { openAgentSource } from './agent-source.ts'
export { serveAgent } from './serve.ts'
