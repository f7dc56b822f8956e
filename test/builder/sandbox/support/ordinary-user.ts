import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

/** Makes a user for a test, with a range of subordinate ids. @returns its uid */
export function addUser(name: string): number {
  const added = spawnSync('useradd', ['--no-create-home', name])
  assert.equal(added.status, 0, added.stderr.toString())
  return Number(spawnSync('id', ['-u', name]).stdout.toString())
}

/** Removes it again. */
export function removeUser(name: string): void {
  spawnSync('userdel', [name])
}
