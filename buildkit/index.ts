export { type Buildkit, type BuildkitOptions, openBuildkit } from './open-buildkit.ts'
export { serveBuildkit } from './serve.ts'
