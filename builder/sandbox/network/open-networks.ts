import { isPidNamespace } from '#builder/linux'
import { HubNetworks, type NetworkSource } from '#builder/network'
import { TsbuildError } from '#core'
import type { StepThread } from '../threads/step-workers.ts'
import { NetworkPool } from './network-pool.ts'
import { findNetworkProgram } from './network-program.ts'

/**
 * Networks of steps' own that reach the world, in the best way that this host allows.
 * @param thread enters network namespaces
 * @returns `undefined` where there is none
 */
export async function openNetworks(thread: StepThread): Promise<NetworkSource | undefined> {
  return (await openHub(thread)) ?? (await openPool(thread))
}

/** Without any program, where this process may change the host's network. */
async function openHub(thread: StepThread): Promise<NetworkSource | undefined> {
  try {
    await thread.run('openHub', undefined)
    return new HubNetworks((number) => thread.run('joinHub', number))
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'SANDBOX_UNAVAILABLE') throw cause
    return undefined
  }
}

/** By a program; in a container it may be refused what it needs, which is tried once. */
async function openPool(thread: StepThread): Promise<NetworkSource | undefined> {
  if (findNetworkProgram() === undefined) return undefined
  const pool = new NetworkPool(() => thread.run('makeNetwork', undefined))
  if (!isPidNamespace()) return pool
  try {
    pool.giveBack(await pool.take())
    return pool
  } catch {
    return undefined
  }
}
