export { commitFiles, type GitServer, startGitServer } from './git-server.ts'
export { type Seen, startWebServer, type WebServer } from './web-server.ts'
