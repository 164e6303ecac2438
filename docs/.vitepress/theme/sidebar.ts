// The sidebar of VitePress stays at its top; the list of pages is longer than a window.
import { useRoute } from 'vitepress'
import { onMounted, watch } from 'vue'

/** Scrolls the sidebar to the current page, unless the page is visible in it, when the site opens and after each link. */
export function useCurrentPageInSidebar(): void {
  const route = useRoute()
  const afterRendering = (): void => void requestAnimationFrame(scrollToCurrent) // groups open first
  onMounted(afterRendering)
  watch(() => route.path, afterRendering, { flush: 'post' })
}

function scrollToCurrent(): void {
  const sidebar = document.querySelector('.VPSidebar')
  const page = sidebar?.querySelector('.is-active > .item')
  if (!sidebar || !page) return
  const { top, height } = sidebar.getBoundingClientRect()
  const place = page.getBoundingClientRect().top - top
  const isVisible = place > 0.1 * height && place < 0.9 * height
  if (!isVisible) sidebar.scrollTop += place - height / 3
}
