/**
 * The parts of undici that send requests, and the only file that imports it. All of undici takes three
 * times as long to load: it brings fetch, web sockets, mocks and caches.
 */
export type { Dispatcher } from 'undici'
export { default as sendRequest } from 'undici/lib/api/api-request.js'
export { default as Agent } from 'undici/lib/dispatcher/agent.js'
