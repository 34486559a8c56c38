/** Where Chromium is: `CHROMIUM`, else the place of Debian's package. */
export const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
