//! The icon in the panel and its menu, as `face.rs` says.

use tauri::{
    AppHandle, Wry,
    image::Image,
    include_image,
    menu::{IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu},
    tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent},
};

use crate::{
    app::{self, lock, shell},
    face::{Entry, Face, Wish},
    group::Group,
};

/// What is on the screen, with the handles that change it.
pub struct Tray {
    icon: TrayIcon,
    shown: Face,
    texts: Vec<Text>,
}

enum Text {
    Item(MenuItem<Wry>),
    Submenu(Submenu<Wry>),
}

pub fn picture(group: Group) -> Image<'static> {
    match group {
        Group::Working => include_image!("icons/tray/working.png"),
        Group::Waiting => include_image!("icons/tray/waiting.png"),
        Group::InUse => include_image!("icons/tray/in-use.png"),
        Group::Paused => include_image!("icons/tray/paused.png"),
        Group::Attention => include_image!("icons/tray/attention.png"),
        Group::NoServer => include_image!("icons/tray/no-server.png"),
    }
}

/// # Errors
/// When there is no panel that takes icons, or the system gives no menu.
pub fn start(app: &AppHandle, face: &Face) -> tauri::Result<()> {
    let (menu, texts) = build(app, face)?;
    let icon = TrayIconBuilder::with_id("offpeak")
        .icon(picture(face.picture))
        .tooltip(face.tooltip())
        .menu(&menu)
        // Where a click can be told from a menu, it opens the window; the menu is the other button's.
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_menu_event(|app, event| {
            if let Some(wish) = wish(event.id().as_ref()) {
                app::grant(app, wish);
            }
        })
        .on_tray_icon_event(|tray, event| {
            // Linux does not tell of clicks, and on macOS the menu opens with them.
            if cfg!(windows)
                && let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event
            {
                app::grant(tray.app_handle(), Wish::Open);
            }
        })
        .build(app)?;
    *lock(&shell(app).tray) = Some(Tray { icon, shown: face.clone(), texts });
    Ok(())
}

/// On the main thread. What does not change is left alone, so that an open menu stays open while its numbers run.
pub fn show(app: &AppHandle, face: &Face) {
    let shell = shell(app);
    let mut tray = lock(&shell.tray);
    let Some(tray) = tray.as_mut() else { return };
    if let Err(error) = tray.show(app, face) {
        eprintln!("offpeak-tray: cannot change the icon in the panel: {error}");
    }
}

impl Tray {
    fn show(&mut self, app: &AppHandle, face: &Face) -> tauri::Result<()> {
        if self.shown.picture != face.picture {
            self.icon.set_icon(Some(picture(face.picture)))?;
        }
        if self.shown.tooltip() != face.tooltip() {
            self.icon.set_tooltip(Some(face.tooltip()))?;
        }
        if same_shape(&self.shown.menu, &face.menu) {
            for (text, entry) in self.texts.iter().zip(face.menu.iter().filter_map(text_of)) {
                text.set(entry)?;
            }
        } else {
            let (menu, texts) = build(app, face)?;
            self.icon.set_menu(Some(menu))?;
            self.texts = texts;
        }
        self.shown = face.clone();
        Ok(())
    }
}

impl Text {
    fn set(&self, text: &str) -> tauri::Result<()> {
        match self {
            Self::Item(item) if item.text()? != text => item.set_text(text),
            Self::Submenu(menu) if menu.text()? != text => menu.set_text(text),
            Self::Item(_) | Self::Submenu(_) => Ok(()),
        }
    }
}

fn text_of(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Line(text) | Entry::Item { text, .. } | Entry::Below { text, .. } => Some(text),
        Entry::Separator => None,
    }
}

/// Whether one menu becomes the other by changing texts only.
fn same_shape(one: &[Entry], other: &[Entry]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|pair| match pair {
            (Entry::Line(_), Entry::Line(_)) | (Entry::Separator, Entry::Separator) => true,
            (Entry::Item { wish: one, .. }, Entry::Item { wish: other, .. }) => one == other,
            (Entry::Below { items: one, .. }, Entry::Below { items: other, .. }) => one == other,
            (Entry::Line(_) | Entry::Separator | Entry::Item { .. } | Entry::Below { .. }, _) => false,
        })
}

fn build(app: &AppHandle, face: &Face) -> tauri::Result<(Menu<Wry>, Vec<Text>)> {
    let menu = Menu::new(app)?;
    let mut texts = Vec::new();
    for entry in &face.menu {
        match entry {
            Entry::Line(text) => {
                let item = MenuItem::new(app, text, false, None::<&str>)?;
                menu.append(&item)?;
                texts.push(Text::Item(item));
            }
            Entry::Item { wish, text } => {
                let item = MenuItem::with_id(app, id(*wish), text, true, None::<&str>)?;
                menu.append(&item)?;
                texts.push(Text::Item(item));
            }
            Entry::Below { text, items } => {
                let make = |(wish, text): &(Wish, String)| MenuItem::with_id(app, id(*wish), text, true, None::<&str>);
                let items = items.iter().map(make).collect::<tauri::Result<Vec<_>>>()?;
                let items: Vec<&dyn IsMenuItem<Wry>> = items.iter().map(|item| item as _).collect();
                let below = Submenu::with_items(app, text, true, &items)?;
                menu.append(&below)?;
                texts.push(Text::Submenu(below));
            }
            Entry::Separator => menu.append(&PredefinedMenuItem::separator(app)?)?,
        }
    }
    Ok((menu, texts))
}

fn id(wish: Wish) -> String {
    match wish {
        Wish::Snooze { hours } => format!("snooze-{hours}"),
        Wish::EndSnooze => "end-snooze".to_owned(),
        Wish::Pause => "pause".to_owned(),
        Wish::Resume => "resume".to_owned(),
        Wish::Join => "join".to_owned(),
        Wish::Update => "update".to_owned(),
        Wish::Open => "open".to_owned(),
        Wish::About => "about".to_owned(),
        Wish::Quit => "quit".to_owned(),
    }
}

fn wish(id: &str) -> Option<Wish> {
    let snoozes = crate::face::SNOOZE_HOURS.map(|hours| Wish::Snooze { hours });
    let others = [Wish::EndSnooze, Wish::Pause, Wish::Resume, Wish::Join, Wish::Update, Wish::Open, Wish::About, Wish::Quit];
    snoozes.into_iter().chain(others).find(|wish| self::id(*wish) == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{desk, now};
    use offpeak_api::agent::AgentState;

    #[test]
    fn wishes_have_names_of_their_own() {
        for known in [
            Wish::Snooze { hours: 12 },
            Wish::EndSnooze,
            Wish::Pause,
            Wish::Resume,
            Wish::Join,
            Wish::Update,
            Wish::Open,
            Wish::About,
            Wish::Quit,
        ] {
            assert_eq!(wish(&id(known)), Some(known));
        }
        assert_eq!(wish("snooze-9"), None);
    }

    #[test]
    fn running_figures_do_not_rebuild_the_menu() {
        let menu = |state, done| {
            let mut now = now(state, "x");
            now.work[0].rows_done = done;
            Face::of(&desk(now), &chrono::Utc).menu
        };
        assert!(same_shape(&menu(AgentState::Encoding, 1), &menu(AgentState::Encoding, 2)));
        assert!(same_shape(&menu(AgentState::Encoding, 1), &menu(AgentState::UserActive, 1)));
        assert!(!same_shape(&menu(AgentState::Encoding, 1), &menu(AgentState::Paused, 1)));
    }

    #[test]
    fn pictures_differ() {
        let pictures = Group::ALL.map(|group| picture(group).rgba().to_vec());
        for (index, one) in pictures.iter().enumerate() {
            assert!(pictures[index + 1..].iter().all(|other| other != one), "{:?}", Group::ALL[index]);
        }
    }
}
