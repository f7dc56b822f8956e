import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import type { Readable } from 'node:stream'
import { WITH_TUNNELS } from '../../../support/peers/index.ts'

/** Makes a user for a test, with a range of subordinate ids. @returns its uid */
export function addUser(name: string): number {
  const added = spawnSync('useradd', ['--no-create-home', name])
  assert.equal(added.status, 0, added.stderr.toString())
  return Number(spawnSync('id', ['-u', name]).stdout.toString())
}

/** Runs a program of Node.js as this user, who may make tunnels and is in no group. */
export function startAsUser(
  uid: number,
  words: readonly string[],
): ChildProcessByStdio<null, Readable, Readable> {
  const become = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
  const [command = '', ...rest] = [...WITH_TUNNELS, ...become, process.execPath, ...words]
  const env = { HOME: '/nonexistent', PATH: process.env.PATH }
  return spawn(command, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Removes it again. */
export function removeUser(name: string): void {
  spawnSync('userdel', [name])
}
