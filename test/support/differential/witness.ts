import type { DifferentialCase } from './cases/tables.ts'
import type { WitnessName } from './cases/witness-name.ts'
import type { Outcome } from './compare/outcome.ts'

/** A BuildKit that builds the cases as well. */
export interface Witness extends AsyncDisposable {
  readonly name: WitnessName
  /**
   * Builds a case.
   * @param folder holds the context, with a `Dockerfile`
   * @param tag a name under which later cases find the image
   */
  build(one: DifferentialCase, folder: string, tag: string | undefined): Promise<Outcome>
}
