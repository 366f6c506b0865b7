declare module 'virtual:land' {
  import type { Land } from './map/scene.ts'
  const land: Land
  export default land
}
