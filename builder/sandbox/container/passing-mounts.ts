/** Mounts of a container that pass others on between it and the host, or get them from there. */
import { closeSync, readFileSync } from 'node:fs'
import { cloneMount } from '#builder/linux'
import { type BindMount, type Mount, TsbuildError } from '#core'
import { findPart, openHostPath } from '../root/step-mounts.ts'

/**
 * Opens those among mounts. The thread must be on the host: a mount that is bound elsewhere passes nothing on there.
 * @param mounts with the root, which does not count
 * @returns descriptors by index; the caller closes them
 * @throws {TsbuildError} USAGE where the host does not let a mount do that
 */
export function openPassing([, ...mounts]: readonly Mount[]): ReadonlyMap<number, number> {
  const opened = new Map<number, number>()
  try {
    for (const [index, mount] of mounts.entries()) {
      if (mount.type === 'bind' && isPassing(mount)) opened.set(index, openOne(mount))
    }
    return opened
  } catch (cause) {
    for (const descriptor of opened.values()) closeSync(descriptor)
    throw cause
  }
}

function isPassing({ propagation }: BindMount): boolean {
  return propagation !== undefined && !propagation.endsWith('private')
}

function openOne(mount: BindMount): number {
  const source = openHostPath(mount.source)
  try {
    const part = mount.path === undefined ? undefined : findPart(source, mount.path)
    try {
      const descriptor = part?.descriptor ?? source
      refuseOther(mount, descriptor)
      return cloneMount(descriptor, mount.recursive === true ? 'included' : 'left-out')
    } finally {
      if (part !== undefined) closeSync(part.descriptor)
    }
  } finally {
    closeSync(source)
  }
}

/** What the mount that a file is in is to the host's others. */
function refuseOther({ source, propagation }: BindMount, descriptor: number): void {
  const info = readFileSync(`/proc/thread-self/fdinfo/${descriptor}`, 'utf8')
  const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1]
  const lines = readFileSync('/proc/thread-self/mountinfo', 'utf8').split('\n')
  const line = lines.find((one) => one.startsWith(`${id} `)) ?? ''
  const [before = ''] = line.split(' - ')
  const fields = before.split(' ').slice(6)
  const isShared = fields.some((field) => field.startsWith('shared:'))
  const isSlave = fields.some((field) => field.startsWith('master:'))
  const isEnough = propagation?.endsWith('shared') === true ? isShared : isShared || isSlave
  if (isEnough) return
  const kind = propagation?.endsWith('shared') === true ? 'shared' : 'shared or slave'
  const [, , , , target = '/'] = before.split(' ')
  throw new TsbuildError(`path ${source} is mounted on ${target} but it is not a ${kind} mount`, {
    code: 'USAGE',
    hint: `make it one first: mount --make-shared ${target}`,
  })
}
