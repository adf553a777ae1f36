// Debian's Chromium, driven without any download of its own.

import { existsSync } from 'node:fs'

import { chromium } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export async function launchBrowser() {
  const executablePath = process.env.TONGQU_CHROMIUM ?? PLACES.find((place) => existsSync(place))
  if (!executablePath) throw new Error('Chromium is missing: `cargo xtask setup` installs it')
  const quiet = ['--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
  const asRoot = process.getuid() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath, args: [...quiet, ...asRoot] })
}
