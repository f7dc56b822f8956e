import type { Finding } from '#cache'
import { TsbuildError, typedFailure } from '#core'

/** A finding, and what has become of it. */
export interface Reported extends Omit<Finding, 'repair'> {
  /** `kept`: it could not be repaired. */
  readonly state: 'found' | 'repaired' | 'kept'
  /** Why it could not be repaired. */
  readonly failure?: string
}

/** What has been looked at. */
export interface Checked {
  readonly names: number
  readonly blobs: number
  /** Of blobs, as they are on the disk. */
  readonly bytes: number
  /** Folders of layers that hold what was made. */
  readonly layers: number
  /** Folders of layers of which nothing says what they have to hold. */
  readonly unproven: number
  /** Layers of images that only a registry has, as far as the store knows. */
  readonly elsewhere: number
}

/** What verifying a store has shown. */
export interface Verification {
  /** Absolute. */
  readonly root: string
  /** No damage is left. Leftovers only take space. */
  readonly isSound: boolean
  readonly checked: Checked
  readonly findings: readonly Reported[]
}

/** Collects findings, and repairs each as it comes where that is wanted. */
export class Report {
  readonly #isRepairing: boolean
  readonly #findings: Reported[] = []

  constructor(isRepairing: boolean) {
    this.#isRepairing = isRepairing
  }

  /** One after the other: what is repaired first may be what others are made of. */
  async add(findings: readonly Finding[]): Promise<void> {
    for (const { repair, ...finding } of findings) {
      this.#findings.push({ ...finding, ...(await this.#repaired(repair)) })
    }
  }

  end(root: string, checked: Checked): Verification {
    const isSound = this.#findings.every(
      ({ severity, state }) => severity === 'leftover' || state === 'repaired',
    )
    return { root, isSound, checked, findings: this.#findings }
  }

  async #repaired(repair: Finding['repair']): Promise<Pick<Reported, 'state' | 'failure'>> {
    if (!this.#isRepairing) return { state: 'found' }
    if (repair === undefined) return { state: 'kept' }
    try {
      await repair()
      return { state: 'repaired' }
    } catch (thrown) {
      const cause = typedFailure('repair', thrown)
      if (!(cause instanceof TsbuildError) || cause.code === 'CANCELLED') throw cause
      return { state: 'kept', failure: cause.message }
    }
  }
}
