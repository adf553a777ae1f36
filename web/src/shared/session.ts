/** Who is signed in. The server decides what they may do; the menus only ask what to draw. */
import { readonly, ref, shallowReadonly, shallowRef } from 'vue'
import { api, onSessionExpired, read } from '@/api/client'
import { asProblem } from '@/api/errors'
import type { MeView, SignInBody } from '@/api/types'
import { rememberSignedIn } from './remembered'

const me = shallowRef<MeView | null>(null)
const asked = ref(false)
/** The session ended while somebody was working: what they typed stays, and they sign in over the page. */
const expired = ref(false)

onSessionExpired(() => {
  if (me.value) expired.value = true
})

async function load(): Promise<MeView | null> {
  try {
    me.value = await read(api.GET('/api/v1/session'))
  } catch (thrown) {
    if (asProblem(thrown).status !== 401) throw thrown
    me.value = null
  }
  asked.value = true
  return me.value
}

async function signIn(body: SignInBody): Promise<void> {
  me.value = await read(api.POST('/api/v1/session', { body }))
  rememberSignedIn(true)
  asked.value = true
  expired.value = false
}

async function signOut(): Promise<void> {
  await api.DELETE('/api/v1/session')
  rememberSignedIn(false)
  me.value = null
  expired.value = false
  forgetTab()
}

/** Acts for another department from now on; drafts stay with whoever typed them, but not with their other post. */
async function choosePost(departmentId: string): Promise<void> {
  me.value = await read(api.PUT('/api/v1/session/post', { body: { department_id: departmentId } }))
  forgetTab()
}

/** Drafts are for whoever typed them; the next person at this desk must not find them. */
function forgetTab(): void {
  try {
    sessionStorage.clear()
  } catch {
    return
  }
}

/** Whether any of these menus is open to whoever is signed in. */
function may(...menus: string[]): boolean {
  return menus.some((menu) => me.value?.may[menu])
}

export function useSession() {
  return {
    me: shallowReadonly(me),
    asked: readonly(asked),
    expired: readonly(expired),
    load,
    signIn,
    signOut,
    choosePost,
    may,
  }
}
