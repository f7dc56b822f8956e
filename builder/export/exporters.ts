/** The exporters by the type of output that they serve. */
export { archiveExporter as docker, archiveExporter as oci } from './archive-exporter.ts'
export { filesExporter as local, filesExporter as tar } from './files-exporter.ts'
export { loadExporter as load } from './load-exporter.ts'
export { registryExporter as registry } from './registry-exporter.ts'
export { storeExporter as store } from './store-exporter.ts'
