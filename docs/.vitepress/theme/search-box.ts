// The search box of VitePress is a button around links, and its options contain links, which assistive technologies
// cannot enter. Here it is a dialog, and the links are the options.
import { onMounted } from 'vue'

/** Corrects roles and names in the search box whenever it changes. */
export function useAccessibleSearchBox(): void {
  onMounted(() => {
    const attributeFilter = ['id', 'role', 'aria-selected', 'aria-label']
    const changes = { subtree: true, childList: true, attributes: true, attributeFilter }
    new MutationObserver(mend).observe(document.body, changes)
  })
}

function mend(): void {
  const box = document.querySelector('.VPLocalSearchBox')
  if (!box) return
  if (box.getAttribute('role') === 'button') {
    box.setAttribute('role', 'dialog')
    box.setAttribute('aria-modal', 'true')
    for (const name of ['aria-expanded', 'aria-haspopup']) box.removeAttribute(name)
    // Keys are drawn as pictures; only an element with a role may have their name.
    for (const key of Array.from(box.querySelectorAll('kbd[aria-label]')))
      key.setAttribute('role', 'img')
  }
  for (const item of Array.from(box.querySelectorAll('.results > li:has(> .result)')))
    mendItem(item)
}

/** Moves what makes an item an option to its link. An attribute is moved once, since each change calls this again. */
function mendItem(item: Element): void {
  const link = item.querySelector('.result')
  if (!link) return
  for (const name of ['id', 'aria-selected']) {
    const value = item.getAttribute(name)
    if (value === null) continue
    item.removeAttribute(name)
    link.setAttribute(name, value)
  }
  if (item.getAttribute('role') !== 'none') item.setAttribute('role', 'none')
  if (link.getAttribute('role') !== 'option') link.setAttribute('role', 'option')
  if (link.hasAttribute('aria-label')) link.removeAttribute('aria-label') // the visible text is the name
}
