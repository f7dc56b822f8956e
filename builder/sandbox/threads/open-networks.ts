import { isUserNamespace } from '#builder/linux'
import {
  FollowedResolvConf,
  HubNetworks,
  type MakeNetwork,
  missingUplinkError,
  type NetworkSource,
  openUplink,
  planUplink,
  Resolver,
} from '#builder/network'
import { Resources, TsbuildError } from '#core'
import { noNamesNotice } from '../host/notices.ts'
import type { StepThread } from './step-workers.ts'

/**
 * Networks of steps' own that reach the world: without any program where this process may change the host's
 * network, else by one.
 * @param thread enters network namespaces; it outlasts the networks
 * @param onNotice gets what they lack
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE with the reason and what to do, where there are none
 */
export async function openNetworks(
  thread: StepThread,
  onNotice: (notice: TsbuildError) => void,
): Promise<NetworkSource> {
  await using held = new Resources()
  const makeNetwork = await openWay(thread, held)
  const conf = new FollowedResolvConf()
  const { servers, refused } = conf.current()
  if (servers.length === 0) onNotice(noNamesNotice(refused))
  const sockets = await thread.run('bindResolver', undefined)
  held.use(new Resolver(sockets, { servers: () => conf.current().servers }))
  return new HubNetworks(makeNetwork, held.move())
}

/** @param held gets what is to be released */
async function openWay(thread: StepThread, held: Resources): Promise<MakeNetwork> {
  try {
    await thread.run('openHub', undefined)
    return (number) => thread.run('joinHub', number)
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'SANDBOX_UNAVAILABLE') throw cause
    const missing = missingUplinkError()
    if (missing !== undefined) throw isUserNamespace() ? missing : bothMissing(cause, missing)
  }
  const uplink = held.use(await openUplink(await thread.run('openRouter', planUplink())))
  return async (number) => {
    await uplink.keep()
    return await thread.run('joinHub', number)
  }
}

/** An ordinary user could not change the host's network in any case; who can is told why not. */
function bothMissing(hub: TsbuildError, uplink: TsbuildError): TsbuildError {
  const { code, hint } = uplink
  return new TsbuildError(`${hub.message}; and ${uplink.message}`, { code, hint, cause: hub })
}
