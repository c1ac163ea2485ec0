//! Displays that this process was not told of: somebody may sit there. They are known by the sockets that they listen at.
//!
//! The kernel lists those (proc(5)), a service's private `/tmp` or not, and leaves out what a display that crashed left behind.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::logind::{Kind, Session};

const X11: &str = "/tmp/.X11-unix/X";
const OF_USERS: &str = "/run/user/";
const WAYLAND: &str = "wayland-";
/// `__SO_ACCEPTCON`: somebody listens at it.
const LISTENS: u32 = 0x1_0000;
const ROOT: u32 = 0;

/// Where a display waits for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    path: String,
    /// Of an X11 display; none of a Wayland compositor.
    number: Option<u32>,
    /// Whose it is, where that can be seen.
    owner: Option<u32>,
}

impl Socket {
    fn at(path: &str) -> Option<Self> {
        if let Some(number) = path.strip_prefix(X11) {
            // With a `/tmp` of its own this process sees no owner.
            let owner = fs::metadata(path).ok().map(|socket| socket.uid());
            return Some(Self { path: path.to_owned(), number: Some(number.parse().ok()?), owner });
        }
        let (user, name) = path.strip_prefix(OF_USERS)?.split_once('/')?;
        name.starts_with(WAYLAND).then(|| Self { path: path.to_owned(), number: None, owner: user.parse().ok() })
    }

    /// Whether it belongs to a session that logind knows.
    fn is_of(&self, session: &Session) -> bool {
        let of_user = self.owner.is_none_or(|owner| owner == session.uid);
        match (session.kind, self.number) {
            (Kind::X11, Some(number)) => match session.display {
                Some(display) => display == number,
                // Display managers start X as root.
                None => of_user || self.owner == Some(ROOT),
            },
            // That of XWayland.
            (Kind::Wayland, Some(_) | None) => of_user,
            (Kind::X11, None) | (Kind::Other, Some(_) | None) => false,
        }
    }
}

/// A display that no session of logind's accounts for. Without logind, any.
pub fn unseen(sessions: &[Session]) -> Option<String> {
    let sockets = match fs::read_to_string("/proc/net/unix") {
        Ok(table) => listed(&table),
        Err(_) => found(),
    };
    first_unseen(sockets, sessions)
}

fn first_unseen(sockets: Vec<Socket>, sessions: &[Session]) -> Option<String> {
    sockets.into_iter().find(|socket| !sessions.iter().any(|session| socket.is_of(session))).map(|socket| socket.path)
}

/// Of the kernel's list: the fourth field has the flags, and the eighth the path, with an `@` before it where it is only a name.
fn listed(table: &str) -> Vec<Socket> {
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let flags = u32::from_str_radix(fields.get(3)?, 16).ok()?;
        let path = fields.get(7)?;
        (flags & LISTENS != 0).then(|| Socket::at(path.strip_prefix('@').unwrap_or(path))).flatten()
    };
    table.lines().filter_map(socket).collect()
}

/// Where the kernel does not tell: what lies in the usual folders.
fn found() -> Vec<Socket> {
    let within =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let of_users = within(Path::new(OF_USERS)).into_iter().flat_map(|user| within(&user));
    let all = within(Path::new("/tmp/.X11-unix")).into_iter().chain(of_users);
    all.filter_map(|path| Socket::at(&path.to_string_lossy())).collect()
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn session(kind: Kind, uid: u32, display: Option<u32>) -> Session {
        Session {
            id: "c2".to_owned(),
            user: "anna".to_owned(),
            uid,
            kind,
            display,
            is_greeter: false,
            is_own: false,
            locked: None,
            idle_for: None,
        }
    }

    fn x11(number: u32, owner: Option<u32>) -> Socket {
        Socket { path: format!("{X11}{number}"), number: Some(number), owner }
    }

    fn wayland(owner: u32) -> Socket {
        Socket { path: format!("{OF_USERS}{owner}/wayland-0"), number: None, owner: Some(owner) }
    }

    #[test]
    fn a_display_is_seen_where_a_session_of_logind_shows_it() {
        let (text, anna, ben) = (session(Kind::Other, 1000, None), 1000, 1001);
        let (on_x11, unnamed) = (session(Kind::X11, anna, Some(0)), session(Kind::X11, anna, None));
        let on_wayland = session(Kind::Wayland, anna, None);
        for (socket, session, is_seen) in [
            (x11(0, Some(ROOT)), &on_x11, true),
            (x11(0, None), &on_x11, true),
            (x11(0, Some(ROOT)), &unnamed, true),
            (x11(1, Some(anna)), &on_wayland, true),
            (x11(1, None), &on_wayland, true),
            (wayland(anna), &on_wayland, true),
            // startx: logind knows of a console.
            (x11(0, Some(anna)), &text, false),
            (x11(0, None), &text, false),
            // Xvnc, beside the session at the machine's own screen.
            (x11(1, Some(anna)), &on_x11, false),
            (x11(1, Some(ben)), &on_wayland, false),
            (wayland(ben), &on_wayland, false),
            (wayland(anna), &on_x11, false),
        ] {
            let expected = (!is_seen).then(|| socket.path.clone());
            assert_eq!(first_unseen(vec![socket.clone()], slice::from_ref(session)), expected, "{socket:?} {session:?}");
        }
        assert!(first_unseen(vec![x11(0, None)], &[]).is_some());
        assert_eq!(first_unseen(Vec::new(), &[]), None);
    }

    #[test]
    fn what_listens_is_listed() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 11 @/tmp/.X11-unix/X7321\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 12 /tmp/.X11-unix/X7322\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 13 /run/user/1000/wayland-0\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 14 /run/user/1000/bus\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 15\n";
        assert_eq!(listed(table), [x11(7321, None), wayland(1000)]);
    }
}
