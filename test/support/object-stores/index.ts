export { type ActionsServer, startActionsServer } from './actions-server.ts'
export { type Azurite, startAzurite } from './azurite.ts'
export { type S3Server, startS3Server } from './s3-server.ts'
