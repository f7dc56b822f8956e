export { type Caches, openCaches } from './open-caches.ts'
