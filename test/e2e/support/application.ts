import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIXTURES } from './tsbuild.ts'

/** The Debian package and the program that compiles it: gcc has hundreds of megabytes, tcc one. */
export type Compiler = 'tcc' | 'gcc'

/** Writes the build context of an application that one stage compiles, and another one runs. */
export function writeApplication(context: string, compiler: Compiler): void {
  cpSync(join(FIXTURES, 'app'), context, { recursive: true })
  const dockerfile = join(context, 'Dockerfile')
  writeFileSync(dockerfile, readFileSync(dockerfile, 'utf8').replaceAll('gcc', compiler))
}
