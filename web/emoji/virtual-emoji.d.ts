/** Made by scripts/emoji-data.mjs. A line is `group|emoji|label|names|tags`. */
declare module 'virtual:emoji/*' {
  export const lines: string
}
