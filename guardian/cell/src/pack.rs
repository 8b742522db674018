//! A pack that every cell may read and nobody can change: a sealed memory file, mapped read-only.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, memfd_create},
    io::Errno,
    mm::{MapFlags, ProtFlags, mmap},
};

/// The seals that make a mapping safe: the bytes cannot change and the file cannot shrink under it (memfd_create(2)).
const SEALS: SealFlags = SealFlags::WRITE.union(SealFlags::GROW).union(SealFlags::SHRINK).union(SealFlags::SEAL);

/// Bytes in a sealed memory file. A clone is another handle to the same file.
#[derive(Debug, Clone)]
pub struct SealedPack {
    file: Arc<OwnedFd>,
}

impl SealedPack {
    /// Copies `bytes` into a memory file and seals it against every change.
    pub fn new(bytes: &[u8]) -> io::Result<Self> {
        let mut file = File::from(create()?);
        file.write_all(bytes)?;
        fcntl_add_seals(&file, SEALS)?;
        Ok(Self { file: Arc::new(OwnedFd::from(file)) })
    }

    /// Another descriptor of the same file, closed on exec.
    pub fn try_clone_fd(&self) -> io::Result<OwnedFd> {
        self.file.try_clone()
    }

    /// The bytes, mapped for as long as this process lives.
    pub fn bytes(&self) -> io::Result<&'static [u8]> {
        Self::map(self.as_fd())
    }

    /// Maps a sealed file that somebody else made, for as long as this process lives. A file without all seals is refused: it
    /// could change while it is read, or shrink and kill the reader.
    pub fn map(fd: BorrowedFd<'_>) -> io::Result<&'static [u8]> {
        if !fcntl_get_seals(fd)?.contains(SEALS) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the pack's file is not sealed; give one made by SealedPack",
            ));
        }
        let length = usize::try_from(fstat(fd)?.st_size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if length == 0 {
            return Ok(&[]);
        }
        // SAFETY: a null hint lets the kernel choose free addresses, so no existing memory is replaced. The seals checked above
        // can never be removed, so the `length` bytes stay present and unchanged. The mapping is private (kernels before 6.7
        // refuse a shared one of a write-sealed file), read-only, and never unmapped, so `'static` holds.
        unsafe {
            let start = mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::PRIVATE, fd, 0)?;
            Ok(std::slice::from_raw_parts(start.cast::<u8>(), length))
        }
    }
}

impl AsFd for SealedPack {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// An empty memory file that can be sealed and, where the kernel knows the flag (6.3), never executed.
fn create() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create("bodh-pack", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => Ok(memfd_create("bodh-pack", flags)?),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_what_was_given_and_cannot_change() {
        let pack = SealedPack::new(b"knowledge").unwrap();
        assert_eq!(pack.bytes().unwrap(), b"knowledge");
        let copy = File::from(pack.try_clone_fd().unwrap());
        assert_eq!((&copy).write_all(b"x").unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(copy.set_len(0).unwrap_err().raw_os_error(), Some(libc::EPERM));
        assert_eq!(fcntl_add_seals(&copy, SealFlags::empty()).unwrap_err(), Errno::PERM);
        assert_eq!(pack.bytes().unwrap(), b"knowledge");
    }

    #[test]
    fn an_empty_pack_maps_to_nothing() {
        assert!(SealedPack::new(b"").unwrap().bytes().unwrap().is_empty());
    }

    #[test]
    fn a_file_that_could_change_is_not_mapped() {
        let open = create().unwrap();
        rustix::io::write(&open, b"knowledge").unwrap();
        fcntl_add_seals(&open, SealFlags::GROW | SealFlags::SHRINK).unwrap();
        assert_eq!(SealedPack::map(open.as_fd()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let ordinary = tempfile::tempfile().unwrap();
        assert!(SealedPack::map(ordinary.as_fd()).is_err(), "an ordinary file has no seals");
    }
}
