import { openSync } from 'node:fs'
import { constants } from 'node:os'
import {
  type Namespaces,
  namespacesToReturnTo,
  SystemError,
  unshareNamespaces,
} from '#builder/linux'
import { Hub, type HubHost } from '../hub/hub.ts'
import type { Router } from '../hub/router.ts'
import type { UplinkPlace, UplinkPlan } from '../uplink/uplink-router.ts'
import { makeUplinkRouter } from '../uplink/uplink-router.ts'

let home: Namespaces | undefined
let hub: Hub | undefined
let router: Router | undefined

/** Opens the calling thread's hub in the host's network. @throws {SystemError} */
export function openThreadHub(): Hub {
  home ??= namespacesToReturnTo()
  // In a user namespace the host's network belongs to another one, and this thread could not come back.
  if (home.net === undefined) throw new SystemError(constants.errno.EPERM, 'setns', 'net')
  hub = new Hub(home.net, 'containers')
  router = hub.router
  return hub
}

/** Makes a router that takes the hub's place, to be connected by a program. @throws {SystemError} */
export function openThreadRouter(plan: UplinkPlan): UplinkPlace {
  home ??= namespacesToReturnTo()
  const opened = makeUplinkRouter(home.net ?? leaveHostNetwork(), plan)
  router = opened.router
  return opened.place
}

/** An empty network to come back to. */
function leaveHostNetwork(): number {
  unshareNamespaces(['net'])
  return openSync('/proc/thread-self/ns/net', 'r')
}

/** The router of the calling thread; one must have been opened. */
export function threadRouter(): Router {
  if (router === undefined) throw new Error('this thread has no router')
  return router
}

/** What of the host is for the hub; `undefined` where a program connects the router. */
export function threadHost(): HubHost | undefined {
  return hub?.host
}

/** As `Hub.refresh`, where there is a hub. */
export function refreshThreadHub(): void {
  hub?.refresh()
}

/** Releases what the thread holds, before it ends. */
export function closeThreadNetwork(): void {
  ;(hub ?? router)?.[Symbol.dispose]()
}
