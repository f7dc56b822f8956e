/**
 * The parts of undici that send requests. All of it takes three times as long to load: it brings
 * fetch, web sockets, mocks and caches.
 */
export { default as request } from 'undici/lib/api/api-request.js'
export { default as Agent } from 'undici/lib/dispatcher/agent.js'
