//! A job object that ends all its processes when its handle is closed, also by the host's own end.

use std::io;
use std::mem;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::process::{Child, Command};
use std::ptr;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JobObjectExtendedLimitInformation, SetInformationJobObject,
    TerminateJobObject, JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
};
use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

/// The child and all that it started.
#[derive(Debug)]
pub(crate) struct Tree {
    job: OwnedHandle,
}

impl Tree {
    /// Open no console window.
    pub(crate) fn prepare(command: &mut Command) {
        command.creation_flags(CREATE_NO_WINDOW);
    }

    pub(crate) fn of(child: &Child) -> io::Result<Self> {
        // SAFETY: no attributes and no name are allowed; a handle that is not null is ours to close.
        let job = unsafe {
            let handle = CreateJobObjectW(ptr::null(), ptr::null());
            if handle.is_null() {
                return Err(io::Error::last_os_error());
            }
            OwnedHandle::from_raw_handle(handle)
        };
        let tree = Self { job };
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        // SAFETY: the pointer and the size are those of `limits`, which outlives the call.
        let is_set = unsafe {
            SetInformationJobObject(
                tree.handle(),
                JobObjectExtendedLimitInformation,
                ptr::from_ref(&limits).cast(),
                mem::size_of_val(&limits) as u32,
            )
        };
        // SAFETY: both handles are open: we own one, `child` owns the other.
        if is_set == 0
            || unsafe { AssignProcessToJobObject(tree.handle(), child.as_raw_handle() as HANDLE) } == 0
        {
            return Err(io::Error::last_os_error());
        }
        Ok(tree)
    }

    pub(crate) fn has_ended(&self, child: &mut Child) -> bool {
        !matches!(child.try_wait(), Ok(None))
    }

    /// Windows has no signal that asks: `shutdown` on stdin was the question.
    pub(crate) fn terminate(&self) {}

    /// End the child and all its descendants.
    pub(crate) fn kill(&self) {
        // SAFETY: the handle is open as long as `self` lives.
        unsafe { TerminateJobObject(self.handle(), 1) };
    }

    fn handle(&self) -> HANDLE {
        self.job.as_raw_handle() as HANDLE
    }
}
