import { mkdirSync } from 'node:fs'
import { run } from '../peers/index.ts'

/**
 * `plain.git` with files of every kind, two commits on `main`, a branch and tags of both kinds;
 * `outer.git`, which has `inner.git` as a submodule.
 */
const SCRIPT = `
umask 022
commit() { git add --all && git commit --quiet --message="$1"; }

git init --quiet --initial-branch=main plain.git
cd plain.git
mkdir -p dir/sub .hidden
echo first > file
echo old > dir/gone
commit first
git tag v1
echo second > file
rm dir/gone
echo program > tool
chmod 0755 tool
ln -s dir/sub link
ln -s missing dangling
echo deep > dir/sub/deep
echo other > dir/other
echo hidden > .hidden/file
commit second
git tag --annotate --message=two v2
git checkout --quiet -b side/branch
echo side > file
commit side
git checkout --quiet main
cd ..

git init --quiet --initial-branch=main inner.git
cd inner.git
echo inner > in
mkdir sub
echo deep > sub/deep
commit inner
inner=$(git rev-parse HEAD)
cd ..

git init --quiet --initial-branch=main outer.git
cd outer.git
echo outer > out
printf '[submodule "m"]\\n\\tpath = mod\\n\\turl = ../inner.git\\n' > .gitmodules
git add .gitmodules out
git update-index --add --cacheinfo "160000,$inner,mod"
git commit --quiet --message=outer
cd ..
`

const IDENTITY: Readonly<Record<string, string>> = {
  GIT_AUTHOR_NAME: 'tests',
  GIT_AUTHOR_EMAIL: 'tests@example.com',
  GIT_AUTHOR_DATE: '1600000000 +0000',
  GIT_COMMITTER_NAME: 'tests',
  GIT_COMMITTER_EMAIL: 'tests@example.com',
  GIT_COMMITTER_DATE: '1600000000 +0000',
}

/** Makes the repositories, and gives their commits by the names that tables have for them. */
export async function makeRepositories(folder: string): Promise<Readonly<Record<string, string>>> {
  mkdirSync(folder)
  await run('sh', ['-ec', SCRIPT], { cwd: folder, env: IDENTITY })
  const commit = async (name: string): Promise<string> => {
    const { stdout } = await run('git', ['rev-parse', `${name}^{commit}`], {
      cwd: `${folder}/plain.git`,
    })
    return stdout.trim()
  }
  const SECOND = await commit('v2')
  return { FIRST: await commit('v1'), SECOND, SECONDSHORT: SECOND.slice(0, 8) }
}
