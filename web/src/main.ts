/**
 * The first script, and a small one: it shows the frame of the page and asks for all that the page needs at the same
 * time, its code, its texts and who is signed in, instead of for one after the other.
 */
import { askEarly } from './api/early'
import type { PlatformView } from './api/types'
import './app/theme.css'
import './app/frame.css'
import { drawFrame, nameFrame, translateFrame } from './app/frame'
import { pageAt } from './app/pages'
import { commonTexts, featureTexts } from './app/texts'
import { rememberedLocale, rememberedSignedIn, rememberName, rememberSignedIn } from './shared/remembered'

/** What doesn't arrive now is asked for again by whoever needs it, and missed there. */
function early(started: Promise<unknown>): void {
  started.catch(() => undefined)
}

function fetchPage(path: string): void {
  const page = pageAt(path)
  drawFrame(page.meta?.frame)
  // Every page of the list is a function that loads it.
  early((page.component as () => Promise<unknown>)())
  if (page.meta?.feature) early(featureTexts(page.meta.feature, rememberedLocale()))
}

/** The page that is opened here: a guest is led to the door from all that isn't public. */
function goal(signedIn: boolean, setupNeeded = false): string {
  if (signedIn || pageAt(location.pathname).meta?.public) return location.pathname
  return setupNeeded ? '/setup' : '/login'
}

async function askWho(expected: string): Promise<void> {
  // A guest's session isn't asked for: the refusal would stand in the console as an error.
  const asked = rememberedSignedIn()
  if (asked) early(askEarly('/api/v1/session'))
  const reply = await askEarly('/api/v1/platform')
  if (!reply.ok) return
  const platform = (await reply.json()) as PlatformView
  rememberSignedIn(platform.signed_in)
  rememberName(platform.name)
  nameFrame(platform.name)
  if (platform.signed_in && !asked) early(askEarly('/api/v1/session'))
  const path = goal(platform.signed_in, platform.setup_needed)
  if (path !== expected) fetchPage(path)
}

translateFrame()
const expected = goal(rememberedSignedIn())
fetchPage(expected)
early(askWho(expected))
early(commonTexts(rememberedLocale()))
try {
  const { openPortal } = await import('./app/portal')
  await openPortal()
} catch (thrown) {
  drawFrame('failed')
  throw thrown
}
