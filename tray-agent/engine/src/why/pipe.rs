//! Windows: a named pipe in place of a socket in the state folder. Everybody may look for pipes by their names, so this one says
//! itself who may open it: whoever runs the engine, and administrators.

#![expect(unsafe_code, reason = "descriptors of security have no safe wrapper")]

use std::{
    ffi::c_void,
    io,
    mem::size_of,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    path::Path,
};

use sha2::{Digest, Sha256};
use tokio::{
    io::AsyncRead,
    net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions},
};
use windows::{
    Win32::{
        Foundation::{HANDLE, HLOCAL, LocalFree},
        Security::{
            Authorization::{ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1},
            GetTokenInformation, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
        },
        System::Threading::{GetCurrentProcess, OpenProcessToken},
    },
    core::{HSTRING, PWSTR},
};

/// A user's identifier has at most 68 bytes; what says so has a pointer more.
const LONGEST_USER: usize = 128;

pub struct Door {
    name: String,
    next: NamedPipeServer,
}

impl Door {
    pub fn open(folder: &Path) -> io::Result<Self> {
        let name = name(folder);
        // Somebody else's pipe of that name is not ours to speak on.
        let next = create(ServerOptions::new().first_pipe_instance(true), &name)?;
        Ok(Self { name, next })
    }

    pub async fn next(&mut self) -> io::Result<NamedPipeServer> {
        self.next.connect().await?;
        let another = create(&mut ServerOptions::new(), &self.name)?;
        Ok(std::mem::replace(&mut self.next, another))
    }
}

pub async fn connect(folder: &Path) -> io::Result<impl AsyncRead + Unpin + use<>> {
    ClientOptions::new().write(false).open(name(folder))
}

/// A pipe's name must not be the folder's, which has backslashes.
fn name(folder: &Path) -> String {
    let hash = crate::ffmpeg::hex(&Sha256::digest(folder.to_string_lossy().as_bytes()));
    format!(r"\\.\pipe\offpeak-agent-{}", &hash[..16])
}

fn create(options: &mut ServerOptions, name: &str) -> io::Result<NamedPipeServer> {
    let descriptor = Descriptor::of_own_user()?;
    let mut attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor.0.0,
        bInheritHandle: false.into(),
    };
    // SAFETY: the attributes and the descriptor in them live through the call, which copies them.
    unsafe { options.reject_remote_clients(true).create_with_security_attributes_raw(name, (&raw mut attributes).cast()) }
}

/// Who may open something. The system allocated it.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    /// This user, administrators and the system: everything. Others: nothing.
    fn of_own_user() -> io::Result<Self> {
        let text = HSTRING::from(format!("D:P(A;;GA;;;{})(A;;GA;;;BA)(A;;GA;;;SY)", own_user()?));
        let mut descriptor = PSECURITY_DESCRIPTOR::default();
        // SAFETY: the text lives through the call, and the place for the answer is ours.
        unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(&text, SDDL_REVISION_1, &raw mut descriptor, None)?;
        }
        Ok(Self(descriptor))
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: it was allocated by the call that made it, and nobody uses it any more.
        unsafe { LocalFree(Some(HLOCAL(self.0.0))) };
    }
}

/// The identifier of whoever runs this process, in the spelling `S-1-5-…`.
fn own_user() -> io::Result<String> {
    let mut token = HANDLE::default();
    // SAFETY: the place for the handle is ours.
    unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token)? };
    // SAFETY: the handle was just opened, and is nobody else's.
    let token = unsafe { OwnedHandle::from_raw_handle(token.0) };
    // Of words, so that what is read from it is aligned.
    let mut told = [0_u64; LONGEST_USER / size_of::<u64>()];
    let (into, mut length) = (told.as_mut_ptr().cast::<c_void>(), 0);
    // SAFETY: the place is as long as is said.
    unsafe {
        let token = HANDLE(token.as_raw_handle());
        GetTokenInformation(token, TokenUser, Some(into), LONGEST_USER as u32, &raw mut length)?;
    }
    // SAFETY: the call above wrote one, with the identifier behind it in the same place.
    let user = unsafe { &*told.as_ptr().cast::<TOKEN_USER>() };
    let mut text = PWSTR::null();
    // SAFETY: the identifier lives in `told`; the text is freed below.
    unsafe { ConvertSidToStringSidW(user.User.Sid, &raw mut text)? };
    // SAFETY: the call wrote a text that ends with a zero.
    let spelled = unsafe { text.to_string() };
    // SAFETY: the text is not used after this.
    unsafe { LocalFree(Some(HLOCAL(text.0.cast()))) };
    spelled.map_err(io::Error::other)
}
