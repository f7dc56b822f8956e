export { commitFiles, type GitServer, startGitServer } from './git-server.ts'
export { startWebServer, type WebServer } from './web-server.ts'
