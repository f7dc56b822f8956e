export { commitFiles, type GitServer, startGitServer } from './git-server.ts'
export { type RawServer, startRawServer } from './raw-server.ts'
export { startWebServer, type WebServer } from './web-server.ts'
