/**
 * `npm run build:image -- --output FILE`: builds the image tsbuild. Further arguments are those of
 * `tsbuild build`: `-t NAME`, `--target kaniko`, `--push`.
 */
import { resolve } from 'node:path'
import { temporaryDirectory } from '../../test/support/peers/index.ts'
import { buildImage, makeWritableFolder } from './build-image.ts'
import { makePackageFolder } from './package-folder.ts'
import { makeSystemFolder } from './system-folder.ts'

/** A path alone is an archive for docker, podman and skopeo. Paths are those of the caller of npm. */
function buildArguments(words: readonly string[]): readonly string[] {
  const isNamed = words.some((word) => /^(?:-t|--tag)/.test(word))
  const args = words.map((word, index) => {
    const isValue = /^(?:-o|--output)$/.test(words[index - 1] ?? '')
    const [, flag = '', value = ''] =
      /^(--output=)(.*)$/s.exec(word) ?? (isValue ? [word, '', word] : [])
    if (value === '' || value === '-' || value.includes('=')) return word
    return `${flag}type=docker,dest=${resolve(process.env.INIT_CWD ?? '.', value)}`
  })
  return isNamed ? args : ['-t', 'tsbuild', ...args]
}

using directory = temporaryDirectory('image', 0o755)
const contexts = {
  system: directory.file('system'),
  package: directory.file('package'),
  writable: directory.file('writable'),
}
makeWritableFolder(contexts.writable)
makePackageFolder(contexts.package)
await makeSystemFolder(contexts.system)
process.exitCode = buildImage(contexts, buildArguments(process.argv.slice(2)))
