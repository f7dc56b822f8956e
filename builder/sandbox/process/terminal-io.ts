import { closeSync, fchownSync, fstatSync } from 'node:fs'
import {
  duplicate,
  type Identity,
  openTerminalOf,
  setWindowSize,
  type WindowSize,
} from '#builder/linux'
import { errnoOf } from '#core'
import { unmappedUserError } from './step-io.ts'

/** The descriptor that the builder has of the terminal of a started process. */
export interface StepTerminal {
  readonly kind: 'terminal'
  readonly master: number
}

/** The terminal of a process that is about to start: a pseudo terminal of the step's own /dev/pts. */
export class TerminalIo {
  readonly ours: StepTerminal
  readonly #slave: number

  /** @param ptmx descriptor of the master, which stays the caller's */
  constructor(ptmx: number, size: WindowSize) {
    this.#slave = openTerminalOf(ptmx)
    setWindowSize(ptmx, size)
    this.ours = { kind: 'terminal', master: duplicate(ptmx) }
  }

  /** Descriptors for the process. */
  get theirs(): { readonly stdin: number; readonly stdout: number; readonly stderr: number } {
    return { stdin: this.#slave, stdout: this.#slave, stderr: this.#slave }
  }

  /** Lets a process that runs as `user` open its terminal by name. Its group stays. */
  giveTo(user: Identity): void {
    try {
      fchownSync(this.#slave, user.uid, fstatSync(this.#slave).gid)
    } catch (cause) {
      throw errnoOf(cause) === 'EINVAL' ? unmappedUserError(user, cause) : cause
    }
  }

  /** Closes the descriptor of the process, which has its own. */
  closeTheirs(): void {
    closeSync(this.#slave)
  }

  /** Closes that of the builder, when the process could not be started. */
  closeOurs(): void {
    closeSync(this.ours.master)
  }
}
