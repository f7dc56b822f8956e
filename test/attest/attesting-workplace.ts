import type { BuildOptions } from '#builder'
import { Workplace } from '../builder/build/support/workplace.ts'
import { type AttestedImage, readAttested } from './attested-layout.ts'

/** A workplace whose builds say how they were done. */
export class AttestingWorkplace {
  readonly at: Workplace
  #layouts = 0

  private constructor(at: Workplace) {
    this.at = at
    at.put({ a: 'A', b: 'B' })
  }

  static async open(): Promise<AttestingWorkplace> {
    return new AttestingWorkplace(await Workplace.open())
  }

  /** The images of a build with what is said of them: all that can be said, unless `options` ask otherwise. */
  async attested(
    dockerfile: readonly string[],
    options: Partial<BuildOptions> = {},
  ): Promise<readonly AttestedImage[]> {
    const dest = this.at.path(`layout-${this.#layouts++}`)
    await this.at.build(dockerfile, {
      outputs: [{ type: 'oci', dest, tar: false }],
      attestations: { provenance: { mode: 'max' } },
      ...options,
    })
    return readAttested(dest)
  }
}
